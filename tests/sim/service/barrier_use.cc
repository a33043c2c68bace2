#include "tests/sim/service/barrier_use.h"

#include <utility>
#include <variant>

#include "tests/sim/service/world.h"
#include "tests/sim/violation.h"

namespace sim {
namespace {

const std::string barrier_path = "/barrier";

}  // namespace

// --- What the user does ---

void BarrierUse::act(Random& random) {
  if (random.one_in(8)) messages_.add(0, {0, zabkeeper::set_barrier(barrier_path, "b")});
  if (random.one_in(8)) lift(random);
  if (!wait_) {
    if (random.one_in(4)) begin();
  } else if (std::exchange(is_paused_, false)) {
    carry_out(wait_->again(), {});
  }
}

// The condition may be wrong meanwhile, or the level too low for it.
void BarrierUse::lift(Random& random) {
  const Model& model = world_.oracle().model();
  const Znode* node = model.find(barrier_path, model.last());
  if (node == nullptr || random.one_in(2)) {
    messages_.add(0, {0, wire::DeleteRequest{barrier_path}});
    return;
  }
  zabkeeper::BarrierLift lift = zabkeeper::lift_barrier(barrier_path, node->stat.czxid);
  messages_.add(0, {0, std::move(lift.request), std::move(lift.conditions)});
  // Others find the barrier set as before.
  if (random.one_in(2)) messages_.add(0, {0, zabkeeper::set_barrier(barrier_path, "b")});
}

void BarrierUse::begin() {
  messages_.forget_sent();
  acknowledged_ = world_.oracle().acknowledged();
  wait_.emplace(barrier_path);
  carry_out(wait_->begin(), {});
}

bool BarrierUse::conclude() {
  // A user that sends seldom may have set and lifted the barrier many times in advance.
  if (!std::exchange(is_concluding_, true)) messages_.drop_unsent(0);
  if (!wait_) return true;
  if (std::exchange(is_paused_, false)) carry_out(wait_->again(), {});
  const Model& model = world_.oracle().model();
  const bool is_set = model.find(barrier_path, model.last()) != nullptr;
  if (!messages_.has_unsent() && is_set && !std::exchange(is_lifting_, true)) {
    messages_.add(0, {0, wire::DeleteRequest{barrier_path}});
  }
  return false;
}

// --- Messages ---

void BarrierUse::receive(const wire::Reply& reply) {
  const auto origin = messages_.origin_of(reply.id);
  if (origin && origin->number == 0) is_lifting_ = false;
  if (origin && wait_) {
    carry_out(wait_->replied(origin->number, reply.body, reply.zxid), reply.zxid);
  }
  check_released(reply);
}

void BarrierUse::receive(const wire::WatchEvent& event) {
  const auto origin = messages_.origin_of(event.watch);
  if (!origin || !wait_) return;
  carry_out(wait_->received(origin->number, event), event.zxid);
}

void BarrierUse::lost_reply(const wire::RequestId& id) {
  const auto origin = messages_.origin_of(id);
  if (!origin || !wait_) return;
  const wire::Error lost{wire::ErrorCode::connection_loss, ""};
  carry_out(wait_->replied(origin->number, lost, {}), {});
}

void BarrierUse::lost_connection() {
  is_lifting_ = false;
  if (wait_) carry_out(wait_->connection_lost(), {});
}

void BarrierUse::lost_session() {
  is_lifting_ = false;
  messages_.clear();
  if (wait_) carry_out(wait_->session_lost(), {});
}

// --- What the wait tells ---

bool BarrierUse::is_set(wire::Zxid generation, wire::Zxid at) const {
  const Znode* node = world_.oracle().model().find(barrier_path, at);
  return node != nullptr && node->stat.czxid == generation;
}

void BarrierUse::carry_out(const zabkeeper::BarrierActions& actions, wire::Zxid zxid) {
  for (const zabkeeper::BarrierAction& action : actions) {
    if (const auto* ask = std::get_if<zabkeeper::Ask>(&action)) messages_.add(0, *ask);
    if (std::holds_alternative<zabkeeper::Pause>(action)) is_paused_ = true;
    const auto* set = std::get_if<zabkeeper::BarrierIsSet>(&action);
    if (set != nullptr && !is_set(set->generation, set->generation)) {
      throw Violation("barrier", who() + " waits for a generation that was never set");
    }
    if (const auto* passed = std::get_if<zabkeeper::BarrierPassed>(&action)) {
      return on_passed(*passed, zxid);
    }
    if (std::holds_alternative<zabkeeper::BarrierFailed>(action)) {
      wait_.reset();
      return;
    }
  }
}

void BarrierUse::on_passed(const zabkeeper::BarrierPassed& passed, wire::Zxid zxid) {
  Totals& counts = world_.cluster().counts();
  if (passed.generation) {
    if (is_set(*passed.generation, zxid)) {
      throw Violation("barrier", who() + " passes at " + wire::to_string(zxid) +
                                     " what is not lifted: " + wire::to_string(*passed.generation));
    }
    const bool is_set_again = world_.oracle().model().find(barrier_path, zxid) != nullptr;
    counts.count(is_set_again ? Rare::barrier_set_again : Rare::barrier_lifted);
  } else {
    counts.count(Rare::barrier_open);
    if (zxid < acknowledged_ || world_.oracle().model().find(barrier_path, zxid) != nullptr) {
      throw Violation("barrier", who() + " passes at " + wire::to_string(zxid) +
                                     " a barrier that was set before");
    }
  }
  is_paused_ = false;
  wait_.reset();
}

// No read of a later state is answered before the event that releases the user.
void BarrierUse::check_released(const wire::Reply& reply) const {
  if (!wait_ || !reply.body || !std::holds_alternative<wire::GetReply>(*reply.body)) return;
  const auto generation = wait_->watched();
  if (!generation || is_set(*generation, reply.zxid)) return;
  throw Violation("barrier", who() + " still waits at " + wire::to_string(reply.zxid) + " for " +
                                 wire::to_string(*generation));
}

}  // namespace sim
