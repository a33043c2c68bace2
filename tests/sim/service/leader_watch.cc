#include "tests/sim/service/leader_watch.h"

#include <utility>
#include <variant>

#include "tests/sim/service/world.h"

namespace sim {
namespace {

const std::string election = "/election";

bool is_read(const wire::ReplyBody& body) {
  return std::holds_alternative<wire::GetReply>(body) ||
         std::holds_alternative<wire::ExistsReply>(body) ||
         std::holds_alternative<wire::ChildrenReply>(body);
}

}  // namespace

LeaderWatch::LeaderWatch(World& world)
    : world_(world), sequence_(world.oracle().model(), election) {}

void LeaderWatch::act() {
  if (!observer_) {
    observer_.emplace(election);
    carry_out(observer_->begin());
  } else if (std::exchange(is_paused_, false)) {
    carry_out(observer_->again());
  }
}

// No read is answered before the events, or the `resync`, of the changes that it reflects.
void LeaderWatch::receive(const wire::Reply& reply) {
  if (!observer_) return;
  const auto origin = messages_.origin_of(reply.id);
  if (origin) {
    carry_out(observer_->replied(origin->number, reply.body, reply.zxid));
  }
  if (observer_ && observer_->is_following() && reply.body && is_read(*reply.body)) {
    sequence_.on_told_all(reply.zxid);
  }
}

void LeaderWatch::receive(const wire::WatchEvent& event) {
  const auto origin = messages_.origin_of(event.watch);
  if (origin && observer_) carry_out(observer_->received(origin->number, event));
}

void LeaderWatch::lost_reply(const wire::RequestId& id) {
  const auto origin = messages_.origin_of(id);
  if (!origin || !observer_) return;
  const wire::Error lost{wire::ErrorCode::connection_loss, ""};
  carry_out(observer_->replied(origin->number, lost, {}));
}

void LeaderWatch::lost_connection() {
  if (observer_) carry_out(observer_->connection_lost());
}

void LeaderWatch::lost_session() {
  messages_.clear();
  observer_.reset();
  is_paused_ = false;
  sequence_.on_gap();
}

void LeaderWatch::carry_out(const zabkeeper::ObserverActions& actions) {
  for (const zabkeeper::ObserverAction& action : actions) {
    if (const auto* ask = std::get_if<zabkeeper::Ask>(&action)) messages_.add(0, *ask);
    if (std::holds_alternative<zabkeeper::Pause>(action)) is_paused_ = true;
    if (const auto* changed = std::get_if<zabkeeper::LeaderChanged>(&action)) {
      if (changed->leader) world_.cluster().counts().count(Rare::leader_told);
      sequence_.on_changed(*changed);
    }
    if (std::holds_alternative<zabkeeper::LeaderGap>(action)) {
      world_.cluster().counts().count(Rare::leader_gap);
      sequence_.on_gap();
    }
    if (std::holds_alternative<zabkeeper::ObserverFailed>(action)) return lost_session();
  }
}

}  // namespace sim
