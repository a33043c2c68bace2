#include "zab/history.h"

#include <algorithm>
#include <utility>

#include "wire/ensure.h"

namespace zab {
namespace {

bool is_at_or_before(Zxid zxid, const Txn& txn) { return zxid < txn.zxid; }

}  // namespace

Txn Txn::after(Point before, Zxid zxid, Payload payload) {
  const ContentHash content = content_hash(*payload);
  return after(before, zxid, content, std::move(payload));
}

Txn Txn::after(Point before, Zxid zxid, ContentHash content, Payload payload) {
  return {zxid, chain(before.hash, zxid, content), content, std::move(payload)};
}

Point History::last_at_or_before(Zxid zxid) const {
  const auto next = std::upper_bound(txns_.begin(), txns_.end(), zxid, is_at_or_before);
  return next == txns_.begin() ? base_ : std::prev(next)->point();
}

bool History::contains(Point point) const { return last_at_or_before(point.zxid) == point; }

bool History::contains(Zxid zxid) const { return last_at_or_before(zxid).zxid == zxid; }

Point History::common_candidate(Point point) const {
  const Point here = last_at_or_before(point.zxid);
  if (here == point || here.zxid < point.zxid) return here;
  ensure(here.zxid > base_.zxid, "a point before the base cannot be looked up");
  const auto same_zxid = std::prev(after(here.zxid));
  return same_zxid == txns_.begin() ? base_ : std::prev(same_zxid)->point();
}

History::const_iterator History::after(Zxid zxid) const {
  return std::upper_bound(txns_.begin(), txns_.end(), zxid, is_at_or_before);
}

const Txn& History::append(Zxid zxid, Payload payload) {
  const ContentHash content = content_hash(*payload);
  return append(zxid, content, std::move(payload));
}

const Txn& History::append(Zxid zxid, ContentHash content, Payload payload) {
  ensure(may_append(zxid), "a history has no gaps");
  bytes_ += payload->size();
  return txns_.emplace_back(Txn::after(last(), zxid, content, std::move(payload)));
}

void History::truncate_after(Zxid zxid) {
  ensure(zxid >= base_.zxid, "a history is not truncated before its base");
  while (!txns_.empty() && txns_.back().zxid > zxid) {
    bytes_ -= txns_.back().payload->size();
    txns_.pop_back();
  }
}

void History::trim(Zxid zxid, std::uint64_t bytes) {
  while (bytes_ > bytes && !txns_.empty() && txns_.front().zxid <= zxid) {
    bytes_ -= txns_.front().payload->size();
    base_ = txns_.front().point();
    txns_.pop_front();
  }
}

}  // namespace zab
