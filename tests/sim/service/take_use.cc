#include "tests/sim/service/take_use.h"

#include <algorithm>
#include <utility>
#include <variant>
#include <vector>

#include "tests/sim/service/world.h"
#include "tests/sim/violation.h"

namespace sim {

using zabkeeper::TakeEnded;

void TakeUse::fail(const std::string& what) const {
  throw Violation(
      "queue", "user " + std::to_string(user_) + ", take " + std::to_string(takes_) + ": " + what);
}

// --- Actions of the user ---

void TakeUse::act(Random& random) {
  if (random.one_in(60)) remove_some(random);
  if (!take_) {
    if (random.one_in(3)) begin(random);
    return;
  }
  advance();
  if (!take_) return;
  if (hold_) {
    use(random);
  } else if (!is_finishing_ && random.one_in(40)) {
    carry_out(take_->give_back(), {});
  }
}

void TakeUse::begin(Random& random) {
  id_ = some_recipe_id(random);
  session_ = present_session_;
  messages_.forget(takes_++);
  has_waited_ = is_finishing_ = is_cancelled_ = false;
  first_page_ = 0;
  now_ms_ = world_.client_clock_ms();
  take_.emplace(world_.queue(), id_);
  carry_out(take_->begin(now_ms_), {});
}

void TakeUse::advance() {
  if (std::exchange(is_paused_, false)) carry_out(take_->again(), {});
  if (!take_) return;
  now_ms_ = world_.client_clock_ms();
  carry_out(take_->time_is(now_ms_), {});
}

// Like LockUse::use.
void TakeUse::use(Random& random) {
  if (random.one_in(2)) {
    const Time delay = random.one_in(6) ? random.below(60 * tick) : random.below(tick);
    world_.at(world_.now() + delay, [&world = world_, hold = *hold_] {
      const bool is_accepted = world.fenced_resource().use(hold);
      world.cluster().counts().count(is_accepted ? Rare::token_accepted : Rare::token_refused);
    });
  }
  if (is_finishing_) return;
  if (random.one_in(3)) {
    is_finishing_ = true;
    carry_out(take_->done(), {});
  } else if (random.one_in(12)) {
    give_up_hold();
    carry_out(take_->give_back(), {});
  } else if (random.one_in(40)) {
    carry_out(take_->deadline_passed(), {});
  }
}

// An operator deletes a taker's place in the line, or a claim of another user.
void TakeUse::remove_some(Random& random) {
  const View state = world_.oracle().model().at(world_.oracle().model().last());
  const zabkeeper::WorkQueue queue = world_.queue();
  std::vector<std::string> paths;
  for (const std::string& name : state.children(queue.takers())) {
    paths.push_back(queue.takers() + '/' + name);
  }
  for (const std::string& name : state.children(queue.items())) {
    const std::string path = queue.items() + '/' + name + "/claim";
    const auto claim = state.find(path);
    if (claim && claim->data != id_) paths.push_back(path);
  }
  if (paths.empty()) return;
  messages_.add(0, {0, wire::DeleteRequest{paths[random.below(paths.size())]}});
}

// Below level 3 no item can be claimed or done.
bool TakeUse::conclude(Random& random) {
  world_.queue_log().read();
  const bool is_refused = world_.oracle().model().level() < wire::Level{3};
  const bool is_over = is_refused || !world_.queue_log().has_open_items();
  if (!take_) {
    if (!is_over) begin(random);
    return is_over && !messages_.has_unsent();
  }
  advance();
  if (!take_ || is_finishing_) return false;
  if (hold_ && !is_refused) {
    is_finishing_ = true;
    carry_out(take_->done(), {});
  } else if (is_over && !std::exchange(is_cancelled_, true)) {
    carry_out(take_->give_back(), {});
  }
  return false;
}

// --- Messages ---

void TakeUse::receive(const wire::Reply& reply) {
  const auto origin = messages_.origin_of(reply.id);
  if (!origin || origin->recipe != takes_ || !take_) return;
  const bool is_list = reply.body && std::holds_alternative<wire::ChildrenReply>(*reply.body);
  if (is_list && origin->number == first_page_) looked_at_ = reply.zxid;
  carry_out(take_->replied(origin->number, reply.body, reply.zxid), reply.zxid);
}

void TakeUse::receive(const wire::WatchEvent& event) {
  const auto origin = messages_.origin_of(event.watch);
  if (!origin || origin->recipe != takes_ || !take_) return;
  carry_out(take_->received(origin->number, event), event.zxid);
}

void TakeUse::lost_reply(const wire::RequestId& id) {
  const auto origin = messages_.origin_of(id);
  if (!origin || origin->recipe != takes_ || !take_) return;
  const wire::Error lost{wire::ErrorCode::connection_loss, ""};
  carry_out(take_->replied(origin->number, lost, {}), {});
}

void TakeUse::lost_connection() {
  if (take_) carry_out(take_->connection_lost(), {});
}

void TakeUse::lost_session() {
  messages_.clear();
  if (take_) carry_out(take_->session_lost(), {});
}

// --- Actions of the take ---

void TakeUse::carry_out(const zabkeeper::TakeActions& actions, wire::Zxid zxid) {
  Totals& counts = world_.cluster().counts();
  for (const zabkeeper::TakeAction& action : actions) {
    if (const auto* ask = std::get_if<zabkeeper::Ask>(&action)) note_list(*ask);
    if (std::holds_alternative<zabkeeper::Pause>(action)) is_paused_ = true;
    if (std::holds_alternative<zabkeeper::Waiting>(action)) has_waited_ = true;
    if (const auto* taken = std::get_if<zabkeeper::Taken>(&action)) on_taken(*taken, zxid);
    if (const auto* wake_at = std::get_if<zabkeeper::WakeAt>(&action)) on_wake_at(*wake_at);
    if (std::holds_alternative<zabkeeper::DoneRefused>(action)) {
      counts.count(Rare::done_refused);
      is_finishing_ = false;
    }
    if (std::holds_alternative<zabkeeper::Lost>(action)) {
      counts.count(Rare::item_lost);
      give_up_hold();
    }
    if (const auto* ended = std::get_if<TakeEnded>(&action)) return on_ended(*ended);
  }
}

void TakeUse::note_list(const zabkeeper::Ask& ask) {
  const auto* list = std::get_if<wire::ChildrenRequest>(&ask.request);
  if (list != nullptr && !list->after) first_page_ = ask.number;
  messages_.add(takes_, ask);
}

void TakeUse::on_taken(const zabkeeper::Taken& taken, wire::Zxid zxid) {
  const Model& model = world_.oracle().model();
  QueueLog& log = world_.queue_log();
  log.read();
  const wire::Zxid claimed = taken.claim.czxid;
  const Znode* claim = model.find(taken.claim.path, claimed);
  const bool is_its = claim != nullptr && claim->stat.czxid == claimed && claim->data == id_ &&
                      claim->stat.ephemeral_owner == session_ && log.has_item(taken.path) &&
                      parent_path(taken.claim.path) == taken.path;
  if (!is_its) fail("it is told an item that it has not claimed: " + taken.path);
  if (model.find(taken.path, claimed)->data != taken.data) fail("the item has other data");
  const std::string name = taken.path.substr(world_.queue().items().size() + 1);
  check_order(name, claimed);
  const auto due_ms = zabkeeper::due_time_of(name);
  if (due_ms && *due_ms > now_ms_) fail("the item is not due: " + taken.path);

  Totals& counts = world_.cluster().counts();
  counts.count(has_waited_ ? Rare::item_awaited : Rare::item_taken);
  if (log.item(taken.path).claims > 1) counts.count(Rare::item_taken_again);
  item_ = taken.path;
  claim_ = claimed;
  const Znode* now = model.find(taken.claim.path, zxid);
  const bool is_held = now != nullptr && now->stat.czxid == claimed;
  if (!is_held && !log.item(item_).is_disturbed) fail("its claim is gone: " + taken.path);
  hold_ = {user_, item_, HoldKind::alone, taken.claim.path, claimed, taken.claim.token, zxid};
  if (is_held) world_.fenced_resource().on_acquired(*hold_);
}

// Fails if an earlier item was free all the time since the taker looked.
void TakeUse::check_order(const std::string& name, wire::Zxid claimed) const {
  const Model& model = world_.oracle().model();
  const std::string items = world_.queue().items();
  const View looked_at = model.at(looked_at_);
  for (const std::string& other : looked_at.children(items)) {
    if (other >= name) return;
    const std::string path = items + '/' + other;
    const View before = model.before(claimed);
    const bool was_free = looked_at.children(path).empty();
    if (was_free && before.find(path) && before.children(path).empty()) {
      fail("it takes " + name + " and not the earlier " + other);
    }
  }
}

// The pages after the first one may be of a later state.
void TakeUse::on_wake_at(const zabkeeper::WakeAt& wake_at) const {
  world_.cluster().counts().count(Rare::item_not_due);
  if (wake_at.time_ms <= now_ms_) fail("it is told to wait for an item that is due");
  const auto first = world_.queue_log().first_free(world_.oracle().model().at(looked_at_), "");
  if (first && zabkeeper::due_time_of(*first) < wake_at.time_ms) {
    fail("it is told to wait for an item that is due later than " + *first);
  }
}

void TakeUse::give_up_hold() {
  if (hold_) world_.fenced_resource().on_released(*std::exchange(hold_, std::nullopt));
}

void TakeUse::on_ended(const TakeEnded& ended) {
  using How = TakeEnded::How;
  Totals& counts = world_.cluster().counts();
  world_.queue_log().read();
  give_up_hold();
  if (ended.how == How::failed) {
    counts.count(Rare::take_failed);
    world_.queue_log().abandon_claims_of(id_);
  }
  if (ended.how == How::given_back) counts.count(Rare::item_given_back);
  if (ended.how == How::cancelled) counts.count(Rare::take_cancelled);
  if (ended.how == How::done) check_done();
  if (ended.how != How::failed && ended.how != How::lost) check_nodes_are_gone();
  is_paused_ = false;
  messages_.forget(takes_);
  take_.reset();
}

void TakeUse::check_done() const {
  const QueueItem& item = world_.queue_log().item(item_);
  world_.cluster().counts().count(Rare::item_done);
  if (item.done == wire::Zxid{}) fail("it is told as done, and is not deleted: " + item_);
  if (item.done_claim != claim_ && !item.is_disturbed) fail("another taker has done " + item_);
}

void TakeUse::check_nodes_are_gone() const {
  const Model& model = world_.oracle().model();
  const View now = model.at(model.last());
  const zabkeeper::WorkQueue queue = world_.queue();
  for (const std::string& name : now.children(queue.takers())) {
    if (name.starts_with(id_)) fail("it leaves its place in the line");
  }
  for (const std::string& name : now.children(queue.items())) {
    const auto claim = now.find(queue.items() + '/' + name + "/claim");
    if (claim && claim->data == id_) fail("it leaves its claim of " + name);
  }
}

}  // namespace sim
