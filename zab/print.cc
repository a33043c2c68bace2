#include "zab/print.h"

namespace zab {
namespace {

using wire::to_string;

std::string to_string(Epoch epoch) { return std::to_string(epoch.value); }

std::string in_words(DiskState disk_state, const Claim& claim) {
  switch (disk_state) {
    case DiskState::sound: return "";
    case DiskState::blank: return ", blank";
    case DiskState::damaged:
      return ", damaged, had epoch " + to_string(claim.current_epoch) + " up to " +
             to_string(claim.last_zxid);
  }
  return "";
}

std::string words(const Notification& m) {
  return "NOTIFICATION " + to_string(m.role) + " round " + std::to_string(m.round) + ", vote " +
         to_string(m.vote.leader) + " at epoch " + to_string(m.vote.current_epoch) + ", last " +
         to_string(m.vote.last_zxid) + in_words(m.disk_state, m.claim);
}
std::string again(std::uint64_t attempt) {
  return attempt == 0 ? "" : ", attempt " + std::to_string(attempt + 1);
}
std::string words(const FollowerInfo& m) {
  return "FOLLOWERINFO accepted " + to_string(m.accepted_epoch) + ", last " +
         to_string(m.last.zxid) + again(m.attempt) + in_words(m.disk_state, m.claim);
}
std::string words(const LeaderInfo& m) {
  return "LEADERINFO " + to_string(m.epoch) + again(m.attempt);
}
std::string words(const AckEpoch& m) {
  return "ACKEPOCH " + to_string(m.epoch) + ", current " + to_string(m.current_epoch) + ", last " +
         to_string(m.last.zxid);
}
std::string words(const Diff& m) { return "DIFF after " + to_string(m.from.zxid); }
std::string words(const Trunc& m) { return "TRUNC to " + to_string(m.to.zxid); }
std::string words(const Snap& m) { return "SNAP at " + to_string(m.at.zxid); }
std::string words(const SnapChunk& m) { return m.last ? "SNAPCHUNK, the last" : "SNAPCHUNK"; }
std::string words(const Diverged& m) { return "DIVERGED, last " + to_string(m.last.zxid); }
std::string words(const NewLeader& m) { return "NEWLEADER " + to_string(m.epoch); }
std::string words(const AckNewLeader& m) { return "ACK-NEWLEADER " + to_string(m.epoch); }
std::string words(const UpToDate& m) { return "UPTODATE " + to_string(m.committed); }
std::string words(const Proposal& m) { return "PROPOSAL " + to_string(m.zxid); }
std::string words(const Ack& m) { return "ACK " + to_string(m.zxid); }
std::string words(const Commit& m) { return "COMMIT " + to_string(m.zxid); }
std::string words(const Inform& m) { return "INFORM " + to_string(m.zxid); }
std::string words(const Successor& m) { return "SUCCESSOR " + to_string(m.server); }
std::string words(const Ping& m) { return "PING " + std::to_string(m.probe); }
std::string words(const Pong& m) { return "PONG " + std::to_string(m.probe); }

std::string words(const AcceptEpoch& p) {
  return "accept epoch " + to_string(p.epoch) + " of " + to_string(p.leader);
}
std::string words(const AdoptHistory& p) {
  return "adopt epoch " + to_string(p.epoch) +
         (p.snapshot ? ", snapshot at " : ", history after ") + to_string(p.from.zxid) + ": " +
         std::to_string(p.txns.size()) + " txns";
}
std::string words(const Append& p) { return "append " + to_string(p.txn.zxid); }
std::string words(const MarkFounded&) { return "the cluster is founded"; }
std::string words(const StoreSnapshot& p) {
  return "store bytes of the snapshot at " + to_string(p.at.zxid);
}

}  // namespace

std::string to_string(const Message& message) {
  return std::visit([](const auto& m) { return words(m); }, message);
}

std::string to_string(const Persist& persist) {
  return std::visit([](const auto& p) { return words(p); }, persist);
}

std::string to_string(Role role) {
  switch (role) {
    case Role::looking: return "looking";
    case Role::following: return "following";
    case Role::observing: return "observing";
    case Role::leading: return "leading";
  }
  return "looking";
}

std::string to_string(const RoleStatus& role_status) {
  std::string text = to_string(role_status.role);
  if (role_status.role == Role::following || role_status.role == Role::observing) {
    text += ' ' + to_string(role_status.leader);
  }
  if (role_status.serving) text += " in epoch " + to_string(role_status.epoch);
  return text;
}

}  // namespace zab
