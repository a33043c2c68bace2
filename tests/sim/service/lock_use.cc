#include "tests/sim/service/lock_use.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "client-lib/recipes/election.h"
#include "tests/sim/service/world.h"
#include "tests/sim/violation.h"

namespace sim {
namespace {

using zabkeeper::Ended;

bool is_limit_change(const wire::Reply& reply) {
  return !reply.body && reply.body.error().code == wire::ErrorCode::condition_failed;
}

}  // namespace

std::string LockUse::path() const {
  switch (type_) {
    case LockType::lock: return "/lock";
    case LockType::read_write: return "/rw";
    case LockType::semaphore: return "/semaphore";
    case LockType::election: return "/election";
  }
  return {};
}

// Names of all families exclude each other here.
zabkeeper::QueueOptions LockUse::some_queue(Random& random) const {
  const std::string id = some_recipe_id(random);
  switch (type_) {
    case LockType::lock:
      return zabkeeper::lock_queue(path(), id, static_cast<zabkeeper::LockNames>(random.below(3)));
    case LockType::read_write:
      return reads_ ? zabkeeper::read_queue(path(), id) : zabkeeper::write_queue(path(), id);
    case LockType::election: return zabkeeper::election_queue(path(), id, id.substr(0, 4));
    case LockType::semaphore: break;
  }
  return zabkeeper::semaphore_queue(path(), id);
}

// --- What the user does ---

void LockUse::act(Random& random) {
  if (!acquisition_) {
    if (random.one_in(type_ == LockType::lock ? 4 : 6)) begin(random, random.one_in(6));
    return;
  }
  if (std::exchange(is_paused_, false)) carry_out(acquisition_->again(), {});
  if (hold_) return use(random);
  if (random.one_in(30)) {
    world_.cluster().counts().count(Rare::lock_cancelled);
    release();
  }
}

void LockUse::begin(Random& random, bool only_now) {
  reads_ = random.one_in(2);
  zabkeeper::QueueOptions options = some_queue(random);
  options.only_now = only_now;
  mark_ = options.mark;
  has_waited_ = false;
  messages_.forget_sent();
  acquisition_.emplace(std::move(options));
  carry_out(acquisition_->want(), {});
}

// The use of the resource may be delayed, until another user holds the lock.
void LockUse::use(Random& random) {
  if (random.one_in(2)) {
    const Time delay = random.one_in(6) ? random.below(60 * tick) : random.below(tick);
    world_.at(world_.now() + delay, [&world = world_, hold = *hold_] {
      const bool is_accepted = world.fenced_resource().use(hold);
      world.cluster().counts().count(is_accepted ? Rare::token_accepted : Rare::token_refused);
    });
  }
  const bool writes = type_ == LockType::read_write && hold_->kind == HoldKind::alone;
  if (type_ == LockType::election && random.one_in(4)) proclaim(random);
  if (writes && random.one_in(3)) carry_out(acquisition_->downgrade(), {});
  if (random.one_in(6)) release();
}

// The acquisition does not wait for the reply.
void LockUse::proclaim(Random& random) {
  const auto grant = acquisition_->grant();
  if (!grant) return;
  auto proclamation = zabkeeper::proclaim(*grant, std::to_string(random.below(1000)));
  messages_.add(0, {0, std::move(proclamation.request), std::move(proclamation.conditions)});
}

void LockUse::release() {
  give_up_hold();
  carry_out(acquisition_->release(), {});
}

bool LockUse::conclude(Random& random) {
  if (!std::exchange(is_concluding_, true) && acquisition_) release();
  if (acquisition_) {
    if (std::exchange(is_paused_, false)) carry_out(acquisition_->again(), {});
    if (hold_) release();
    return false;
  }
  const bool is_asked = type_ == LockType::lock || type_ == LockType::read_write;
  if (took_final_ || !is_asked) return true;
  begin(random, false);
  return false;
}

// --- Messages ---

void LockUse::receive(const wire::Reply& reply) {
  const auto origin = messages_.origin_of(reply.id);
  if (!origin || !acquisition_) return;
  if (is_limit_change(reply)) world_.cluster().counts().count(Rare::limit_changed);
  carry_out(acquisition_->replied(origin->number, reply.body), reply.zxid);
}

void LockUse::receive(const wire::WatchEvent& event) {
  const auto origin = messages_.origin_of(event.watch);
  if (!origin || !acquisition_) return;
  carry_out(acquisition_->received(origin->number, event), event.zxid);
}

void LockUse::lost_reply(const wire::RequestId& id) {
  const auto origin = messages_.origin_of(id);
  if (!origin || !acquisition_) return;
  carry_out(
      acquisition_->replied(origin->number, wire::Error{wire::ErrorCode::connection_loss, ""}), {});
}

void LockUse::lost_connection() {
  if (acquisition_) carry_out(acquisition_->connection_lost(), {});
}

void LockUse::lost_session() {
  messages_.clear();
  if (acquisition_) carry_out(acquisition_->session_lost(), {});
}

// --- What the acquisition tells ---

void LockUse::carry_out(const zabkeeper::RecipeActions& actions, wire::Zxid zxid) {
  for (const zabkeeper::RecipeAction& action : actions) {
    if (const auto* ask = std::get_if<zabkeeper::Ask>(&action)) messages_.add(0, *ask);
    if (std::holds_alternative<zabkeeper::Pause>(action)) is_paused_ = true;
    if (std::holds_alternative<zabkeeper::Waiting>(action)) has_waited_ = true;
    if (const auto* held = std::get_if<zabkeeper::Held>(&action)) on_held(held->grant, zxid);
    if (const auto* reader = std::get_if<zabkeeper::Downgraded>(&action)) {
      on_downgraded(reader->grant);
    }
    if (std::holds_alternative<zabkeeper::Lost>(action)) {
      world_.cluster().counts().count(Rare::lock_lost);
      give_up_hold();
    }
    if (const auto* ended = std::get_if<Ended>(&action)) on_ended(*ended);
  }
}

void LockUse::on_held(const zabkeeper::Grant& grant, wire::Zxid since) {
  HoldKind kind = type_ == LockType::semaphore ? HoldKind::place : HoldKind::alone;
  if (type_ == LockType::read_write && reads_) kind = HoldKind::shared;
  since = std::max(since, world_.oracle().turn_judged_at(grant.path));
  hold_ = LockHold{user_, path(), kind, grant.path, grant.czxid, grant.token, since};
  took_final_ = is_concluding_;
  world_.trace([&] { return "user " + std::to_string(user_) + "  has the lock " + grant.path; });
  Totals& counts = world_.cluster().counts();
  counts.count(Rare::lock_taken);
  if (has_waited_) counts.count(Rare::lock_awaited);
  world_.fenced_resource().on_acquired(*hold_);
  if (world_.fenced_resource().is_shared(path())) counts.count(Rare::lock_shared);
}

// The reader holds since its node exists.
void LockUse::on_downgraded(const zabkeeper::Grant& grant) {
  world_.cluster().counts().count(Rare::lock_downgraded);
  give_up_hold();
  hold_ =
      LockHold{user_, path(), HoldKind::shared, grant.path, grant.czxid, grant.token, grant.czxid};
  world_.fenced_resource().on_acquired(*hold_);
}

void LockUse::give_up_hold() {
  if (hold_) world_.fenced_resource().on_released(*std::exchange(hold_, std::nullopt));
}

void LockUse::on_ended(const Ended& ended) {
  world_.trace([&] {
    return "user " + std::to_string(user_) + "  ends with " + path() + ": " +
           std::to_string(static_cast<int>(ended.how)) + ' ' +
           (ended.error ? ended.error->message : "");
  });
  if (ended.how == Ended::How::not_acquired) {
    world_.cluster().counts().count(Rare::lock_not_acquired);
  }
  // With small limits, the user's own watches may leave no room for one more.
  const bool has_no_room = ended.error && ended.error->code == wire::ErrorCode::too_many_watches &&
                           world_.options().small.are_on();
  if (is_concluding_ && has_no_room) took_final_ = true;
  give_up_hold();
  check_node_is_gone();
  is_paused_ = false;
  messages_.drop_unsent();
  acquisition_.reset();
}

// Another acquisition has another mark. So it does not matter that the log is ahead of the user.
void LockUse::check_node_is_gone() const {
  const Model& model = world_.oracle().model();
  for (const std::string& name : model.at(model.last()).children(path())) {
    if (!name.starts_with(mark_)) continue;
    throw Violation("lock", "user " + std::to_string(user_) + " leaves " + path() + '/' + name);
  }
}

}  // namespace sim
