#include "server/storage/format/tip.h"

namespace storage {

bool allows_accept(const Tip& tip, zab::Epoch epoch) {
  return epoch >= tip.accepted_epoch && epoch.value <= zab::Epoch::max;
}

bool allows_adopt(const Tip& tip, zab::Epoch epoch, zab::Point from, bool snapshot) {
  if (epoch < tip.current_epoch || epoch > tip.accepted_epoch) return false;
  if (snapshot) return from.zxid.epoch <= epoch;
  return from.zxid < tip.last.zxid || from == tip.last;
}

bool allows_txn(const Tip& tip, zab::Zxid zxid) {
  return zxid.epoch <= tip.current_epoch && zab::may_follow(zxid, tip.last.zxid);
}

void accept(Tip& tip, const zab::AcceptEpoch& accepted) {
  tip.accepted_epoch = accepted.epoch;
  tip.accepted_leader = accepted.leader;
}

void adopt(Tip& tip, zab::Epoch epoch, zab::ClusterId cluster, zab::Point from) {
  tip.current_epoch = epoch;
  tip.founded = tip.founded && tip.cluster == cluster;
  tip.cluster = cluster;
  tip.last = from;
  tip.damaged.reset();
}

}  // namespace storage
