#include "server/storage/tip.h"

namespace storage {

bool allows_accept(const Tip& tip, zab::Epoch epoch) {
  return epoch >= tip.accepted_epoch && epoch.value <= zab::Epoch::max;
}

bool allows_adopt(const Tip& tip, zab::Epoch epoch, zab::Zxid truncate_to) {
  return epoch >= tip.current_epoch && epoch <= tip.accepted_epoch && truncate_to <= tip.last.zxid;
}

bool allows_txn(const Tip& tip, zab::Zxid zxid) {
  return zxid.epoch <= tip.current_epoch && zab::may_follow(zxid, tip.last.zxid);
}

}  // namespace storage
