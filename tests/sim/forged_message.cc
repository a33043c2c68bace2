#include "tests/sim/forged_message.h"

#include <memory>

namespace sim {
namespace {

using zab::Epoch;
using zab::Message;
using zab::Zxid;

zab::Payload some_payload() { return std::make_shared<const wire::Bytes>("stray"); }

// Messages that only a leader sends, from another server, with plausible content.
std::optional<Message> from_another(const zab::State& state, const zab::RoleStatus& role_status,
                                    Random& random) {
  const zab::Point last = state.durable.history.last();
  const Epoch epoch = role_status.serving ? role_status.epoch : state.durable.accepted_epoch;
  if (epoch == Epoch{}) return std::nullopt;
  const Zxid next = last.zxid.epoch == epoch ? last.zxid.next() : Zxid{epoch, 1};
  switch (random.below(9)) {
    case 0: return zab::Proposal{next, some_payload()};
    case 1: return zab::Commit{last.zxid};
    case 2: return zab::UpToDate{last.zxid};
    case 3: return zab::NewLeader{epoch};
    case 4: return zab::Diff{last};
    case 5: return zab::Trunc{state.durable.history.base()};
    case 6: return zab::Snap{last};
    case 7: return zab::Inform{next, some_payload()};
    default: return zab::LeaderInfo{epoch.next(), random.below(3), state.durable.cluster};
  }
}

// Messages from its leader to a learner.
std::optional<Message> from_leader(const Target& target, Random& random) {
  const zab::Durable& durable = target.state.durable;
  const Zxid last = durable.history.last().zxid;
  const Zxid far{last.epoch, last.counter + random.between(1, 5)};
  const auto attempts = target.state.links.find(target.sender);
  const std::uint64_t attempt =
      attempts == target.state.links.end() || attempts->second == 0 ? 0 : attempts->second - 1;
  const Zxid delivered = target.state.last_delivered;
  switch (random.below(13)) {
    case 0: {  // an epoch below the accepted one
      if (durable.accepted_epoch.value < 2) return std::nullopt;
      const auto lower =
          static_cast<std::uint32_t>(random.between(1, durable.accepted_epoch.value - 1));
      return zab::LeaderInfo{Epoch{lower}, attempt, durable.cluster};
    }
    case 1:  // the epoch that was accepted from another leader
      if (durable.accepted_epoch == Epoch{} || durable.accepted_leader == target.sender) {
        return std::nullopt;
      }
      return zab::LeaderInfo{durable.accepted_epoch, attempt, durable.cluster};
    case 2: return zab::Commit{far};  // beyond the history
    case 3: return zab::Commit{Zxid{last.epoch.next(), 1}};
    case 4:  // before the last delivered zxid
      if (delivered.counter == 0) return std::nullopt;
      return zab::Commit{Zxid{delivered.epoch, delivered.counter - 1}};
    case 5: return zab::Commit{target.state.last_committed};  // again
    case 6:  // with a gap; not in synchronization, because the received history is not visible here
      if (!target.role_status.serving) return std::nullopt;
      return zab::Proposal{far.next(), some_payload()};
    case 7: return zab::NewLeader{durable.accepted_epoch.next()};
    case 8:
      if (target.role_status.serving) return zab::NewLeader{target.role_status.epoch};
      return std::nullopt;
    case 11:  // no epoch could follow it
      return zab::LeaderInfo{Epoch{Epoch::max}, attempt, durable.cluster};
    case 9:
    case 10: {
      const zab::Point base = durable.history.base();
      if (base.zxid >= delivered) return std::nullopt;
      if (random.one_in(2)) return zab::Trunc{base};
      return zab::Snap{base};
    }
    default:
      if (!target.role_status.serving) return std::nullopt;
      return zab::UpToDate{last};
  }
}

// Messages from a connected server to a leader.
std::optional<Message> to_leader(const Target& target, Random& random) {
  if (!target.role_status.serving) return std::nullopt;
  const Epoch epoch = target.role_status.epoch;
  const Zxid last = target.state.durable.history.last().zxid;
  const Epoch earlier{epoch.value - 1};
  switch (random.below(9)) {
    case 7: return zab::Ack{Zxid{epoch, 0}};
    case 0: return zab::Ack{Zxid{earlier, random.between(1, 1000)}};
    case 1: return zab::Ack{Zxid{epoch, last.epoch == epoch ? last.counter + 1 : 1}};
    case 2: return zab::Ack{Zxid{epoch.next(), 1}};
    case 3:
      if (target.sender_has_adopted || last.epoch != epoch) return std::nullopt;
      return zab::Ack{last};
    case 4: return zab::AckNewLeader{random.one_in(2) ? earlier : epoch.next()};
    case 5:  // again
      if (target.sender_holds.epoch != epoch) return std::nullopt;
      return zab::Ack{target.sender_holds};
    case 6: return zab::AckEpoch{earlier, earlier, target.state.durable.history.last()};
    default: return zab::Pong{1'000'000, target.state.durable.history.last()};
  }
}

}  // namespace

std::optional<Message> forge(const Target& target, Random& random) {
  switch (target.role_status.role) {
    case zab::Role::leading:
      return random.one_in(3) ? from_another(target.state, target.role_status, random)
                              : to_leader(target, random);
    case zab::Role::following:
    case zab::Role::observing:
      return target.sender == target.role_status.leader
                 ? from_leader(target, random)
                 : from_another(target.state, target.role_status, random);
    case zab::Role::looking: return from_another(target.state, target.role_status, random);
  }
  return std::nullopt;
}

}  // namespace sim
