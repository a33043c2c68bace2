#include "server/storage/trail.h"

namespace storage {

Trail::Trail(const zab::History& history) {
  add(history.base());
  for (auto txn = history.after(history.base().zxid); txn != history.end(); ++txn) {
    add(txn->point());
  }
}

std::optional<zab::Point> Trail::truncate_after(zab::Zxid zxid) {
  while (steps_.size() > 1 && steps_.back().zxid > zxid.bits()) steps_.pop_back();
  if (steps_.back().zxid != zxid.bits()) return std::nullopt;
  return zab::Point{zxid, steps_.back().hash};
}

}  // namespace storage
