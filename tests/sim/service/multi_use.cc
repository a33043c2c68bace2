#include "tests/sim/service/multi_use.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "tests/sim/service/world.h"
#include "tests/sim/violation.h"

namespace sim {

using zabkeeper::Ended;

// --- What the user does ---

void MultiUse::act(Random& random) {
  if (!acquisition_) {
    if (random.one_in(6)) begin(random, random.one_in(6));
    return;
  }
  if (std::exchange(is_paused_, false)) carry_out(acquisition_->again(), {});
  if (!holds_.empty()) return use(random);
  if (random.one_in(30)) {
    world_.cluster().counts().count(Rare::locks_cancelled);
    release();
  }
}

void MultiUse::begin(Random& random, bool only_now) {
  paths_ = {"/lock", "/multi/a", "/multi/b"};
  if (random.one_in(2)) paths_.erase(paths_.begin() + static_cast<std::ptrdiff_t>(random.below(3)));
  if (random.one_in(2)) std::ranges::reverse(paths_);
  const std::string id = some_recipe_id(random);
  mark_ = id;
  has_waited_ = false;
  messages_.forget_sent();
  acquisition_.emplace(
      zabkeeper::MultiOptions{.paths = paths_, .id = id, .only_now = only_now, .data = "m"});
  carry_out(acquisition_->begin(), {});
}

// As LockUse::use.
void MultiUse::use(Random& random) {
  if (random.one_in(2)) {
    const Time delay = random.one_in(6) ? random.below(60 * tick) : random.below(tick);
    world_.at(world_.now() + delay, [&world = world_, holds = holds_] {
      for (const LockHold& hold : holds) {
        const bool is_accepted = world.fenced_resource().use(hold);
        world.cluster().counts().count(is_accepted ? Rare::token_accepted : Rare::token_refused);
      }
    });
  }
  if (random.one_in(6)) release();
}

void MultiUse::release() {
  give_up_holds();
  carry_out(acquisition_->release(), {});
}

bool MultiUse::conclude(Random& random) {
  if (!std::exchange(is_concluding_, true) && acquisition_) release();
  if (acquisition_) {
    if (std::exchange(is_paused_, false)) carry_out(acquisition_->again(), {});
    if (!holds_.empty()) release();
    return false;
  }
  if (took_final_) return true;
  begin(random, false);
  return false;
}

// --- Messages ---

void MultiUse::receive(const wire::Reply& reply) {
  const auto origin = messages_.origin_of(reply.id);
  if (!origin || !acquisition_) return;
  carry_out(acquisition_->replied(origin->number, reply.body, reply.zxid), reply.zxid);
}

void MultiUse::receive(const wire::WatchEvent& event) {
  const auto origin = messages_.origin_of(event.watch);
  if (!origin || !acquisition_) return;
  carry_out(acquisition_->received(origin->number, event), event.zxid);
}

void MultiUse::lost_reply(const wire::RequestId& id) {
  const auto origin = messages_.origin_of(id);
  if (!origin || !acquisition_) return;
  const wire::Error lost{wire::ErrorCode::connection_loss, ""};
  carry_out(acquisition_->replied(origin->number, lost, {}), {});
}

void MultiUse::lost_connection() {
  if (acquisition_) carry_out(acquisition_->connection_lost(), {});
}

void MultiUse::lost_session() {
  messages_.clear();
  if (acquisition_) carry_out(acquisition_->session_lost(), {});
}

// --- What the acquisition tells ---

void MultiUse::carry_out(const zabkeeper::MultiActions& actions, wire::Zxid zxid) {
  for (const zabkeeper::MultiAction& action : actions) {
    if (const auto* ask = std::get_if<zabkeeper::Ask>(&action)) messages_.add(0, *ask);
    if (std::holds_alternative<zabkeeper::Pause>(action)) is_paused_ = true;
    if (std::holds_alternative<zabkeeper::Waiting>(action)) has_waited_ = true;
    if (const auto* held = std::get_if<zabkeeper::MultiHeld>(&action)) on_held(held->grant, zxid);
    if (std::holds_alternative<zabkeeper::Lost>(action)) {
      world_.cluster().counts().count(Rare::locks_lost);
      give_up_holds();
    }
    if (const auto* ended = std::get_if<Ended>(&action)) on_ended(*ended);
  }
}

void MultiUse::on_held(const zabkeeper::MultiGrant& grant, wire::Zxid since) {
  took_final_ = is_concluding_;
  world_.cluster().counts().count(has_waited_ ? Rare::locks_awaited : Rare::locks_taken);
  if (grant.locks.size() != paths_.size()) throw Violation("lock", "a lock of several is missing");
  for (const zabkeeper::Grant& lock : grant.locks) {
    since = std::max(since, world_.oracle().turn_judged_at(lock.path));
  }
  for (std::size_t i = 0; i < paths_.size(); ++i) {
    const zabkeeper::Grant& lock = grant.locks[i];
    if (lock.token != grant.token) throw Violation("fencing", lock.path + " has another token");
    holds_.push_back(
        {user_, paths_[i], HoldKind::alone, lock.path, lock.czxid, grant.token, since});
    world_.fenced_resource().on_acquired(holds_.back());
  }
}

void MultiUse::give_up_holds() {
  for (const LockHold& hold : std::exchange(holds_, {})) {
    world_.fenced_resource().on_released(hold);
  }
}

void MultiUse::on_ended(const Ended& ended) {
  if (ended.how == Ended::How::not_acquired) {
    world_.cluster().counts().count(Rare::locks_not_acquired);
  }
  give_up_holds();
  check_nodes_are_gone();
  is_paused_ = false;
  messages_.drop_unsent();
  acquisition_.reset();
}

void MultiUse::check_nodes_are_gone() const {
  const Model& model = world_.oracle().model();
  for (const std::string& path : paths_) {
    for (const std::string& name : model.at(model.last()).children(path)) {
      if (!name.starts_with(mark_)) continue;
      throw Violation("lock", "user " + std::to_string(user_) + " leaves " + path + '/' + name);
    }
  }
}

}  // namespace sim
