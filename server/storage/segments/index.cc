#include "server/storage/segments/index.h"

#include <algorithm>

namespace storage {
namespace {

constexpr std::uint64_t index_piece_bytes = 64u << 10;  // at least, within a segment

}  // namespace

void Index::add(zab::Point before, LogPosition at) { truncate(before, at); }

void Index::add_if_far(zab::Point before, LogPosition at) {
  const LogPosition last = pieces_.back().at;
  if (last.sequence == at.sequence && at.offset - last.offset < index_piece_bytes) return;
  add(before, at);
}

void Index::truncate(zab::Point from, LogPosition at) {
  while (!pieces_.empty() && pieces_.back().before.zxid >= from.zxid) pieces_.pop_back();
  pieces_.push_back({from, at});
}

void Index::restart(zab::Point base, LogPosition at) { pieces_.assign({{base, at}}); }

void Index::forget_before(std::uint64_t sequence) {
  const auto kept = std::ranges::find_if(
      pieces_, [&](const Piece& piece) { return piece.at.sequence >= sequence; });
  if (kept != pieces_.end()) pieces_.erase(pieces_.begin(), kept);
}

std::size_t Index::piece_before(zab::Zxid zxid) const {
  const auto after = std::ranges::lower_bound(pieces_, zxid, {},
                                              [](const Piece& piece) { return piece.before.zxid; });
  return after == pieces_.begin() ? 0 : static_cast<std::size_t>(after - pieces_.begin()) - 1;
}

}  // namespace storage
