#include "tests/sim/service/counter_use.h"

#include <algorithm>
#include <utility>
#include <variant>
#include <vector>

#include "tests/sim/service/world.h"
#include "tests/sim/violation.h"

namespace sim {
namespace {

constexpr std::size_t counter_count = 2;

std::int64_t value_in(const Znode* counter) {
  return counter == nullptr || counter->data.empty() ? 0 : std::stoll(counter->data);
}

}  // namespace

CounterUse::CounterUse(World& world, std::size_t user)
    : world_(world),
      user_(user),
      path_("/counters/" + std::to_string(user % counter_count)),
      operations_("counter", "user " + std::to_string(user)) {}

void CounterUse::fail(const std::string& what) const {
  throw Violation("counter", "user " + std::to_string(user_) + ": " + what);
}

// --- What the user does ---

void CounterUse::act(Random& random) {
  if (!counter_ || random.one_in(counter_->is_idle() ? 60 : 30)) return start(random);
  if (std::exchange(is_paused_, false)) carry_out(counter_->again(), {});
  if (counter_->is_idle() && random.one_in(3)) begin_something(random);
}

// The program has stored the numbers and amounts of its additions.
void CounterUse::start(Random& random) {
  if (id_.empty()) {
    id_ = some_recipe_id(random);
    has_short_receipt_ = random.one_in(3);
  }
  messages_.forget(starts_++);
  is_paused_ = false;
  adding_ = 0;
  operations_.on_restart();
  has_added_ = false;
  zabkeeper::CounterOptions options;
  options.path = path_;
  options.id = id_;
  if (has_short_receipt_) options.receipt_ttl_ms = 20 * tick_ms;
  counter_.emplace(std::move(options));
  is_to_add_again_ = operations_.is_last_open() && !has_short_receipt_;
  if (is_to_add_again_ && random.one_in(3)) return add(operations_.last());
  carry_out(counter_->begin(), {});
}

void CounterUse::begin_something(Random& random) {
  const std::uint64_t last = operations_.last();
  const bool is_open = operations_.is_last_open();
  if (random.one_in(4)) return read();
  if (last > 0 && may_add_again() && random.one_in(is_open ? 2 : 6)) return add(last);
  const std::uint64_t number = last + random.between(1, 2);
  amounts_[number] = static_cast<std::int64_t>(random.below(30)) - 5;
  add(number);
}

// Without its receipt, an addition may only begin again while its CounterOwner waits for the
// answer.
bool CounterUse::may_add_again() const {
  return !has_short_receipt_ || (has_added_ && operations_.is_last_open());
}

void CounterUse::add(std::uint64_t number) {
  read_log();
  adding_ = number;
  has_added_ = true;
  is_to_add_again_ = false;
  is_done_before_ = operations_.is_carried_out(number);
  operations_.begin(number);
  carry_out(counter_->add(number, amounts_[number]), {});
}

void CounterUse::read() {
  acknowledged_ = world_.oracle().acknowledged();
  carry_out(counter_->read(), {});
}

bool CounterUse::conclude() {
  if (!counter_) return true;
  if (std::exchange(is_paused_, false)) carry_out(counter_->again(), {});
  if (!counter_->is_idle()) return false;
  const bool is_open = operations_.is_last_open() && may_add_again();
  if (is_open && !std::exchange(has_settled_, true)) {
    add(operations_.last());
  } else if (!std::exchange(has_read_, true)) {
    read();
  }
  return counter_->is_idle();
}

// --- Messages ---

void CounterUse::receive(const wire::Reply& reply) {
  const auto origin = messages_.origin_of(reply.id);
  if (!origin) return;
  carry_out(counter_->replied(origin->number, reply.body, reply.zxid), reply.zxid);
}

void CounterUse::lost_reply(const wire::RequestId& id) {
  const auto origin = messages_.origin_of(id);
  if (!origin) return;
  const wire::Error lost{wire::ErrorCode::connection_loss, ""};
  carry_out(counter_->replied(origin->number, lost, {}), {});
}

void CounterUse::lost_session() {
  messages_.clear();
  if (counter_) carry_out(counter_->session_lost(), {});
}

// --- What the counter tells ---

void CounterUse::carry_out(const zabkeeper::CounterActions& actions, wire::Zxid zxid) {
  for (const zabkeeper::CounterAction& action : actions) {
    if (const auto* ask = std::get_if<zabkeeper::Ask>(&action)) messages_.add(starts_, *ask);
    if (std::holds_alternative<zabkeeper::Pause>(action)) is_paused_ = true;
    if (const auto* added = std::get_if<zabkeeper::CounterAdded>(&action)) on_added(*added);
    if (const auto* read = std::get_if<zabkeeper::CounterRead>(&action)) on_read(*read);
    if (const auto* ready = std::get_if<zabkeeper::CounterReady>(&action)) on_ready(*ready, zxid);
    if (const auto* failed = std::get_if<zabkeeper::CounterFailed>(&action)) on_failed(*failed);
  }
}

void CounterUse::on_added(const zabkeeper::CounterAdded& added) {
  read_log();
  if (added.number != std::exchange(adding_, 0)) fail("another addition is told as done");
  operations_.on_done(added.number);
  world_.cluster().counts().count(is_done_before_ ? Rare::addition_done_before
                                                  : Rare::addition_done);
  const wire::Zxid zxid = *operations_.carried_out_by(added.number);
  const std::int64_t value = value_in(world_.oracle().model().find(path_, zxid));
  if (value == added.value) return;
  fail("addition " + std::to_string(added.number) + " is told the value " +
       std::to_string(added.value) + " instead of " + std::to_string(value));
}

void CounterUse::on_read(const zabkeeper::CounterRead& read) const {
  world_.cluster().counts().count(Rare::counter_read);
  const Znode* counter = world_.oracle().model().find(path_, read.zxid);
  if (value_in(counter) != read.value) fail("a read has a wrong value");
  if (read.zxid < acknowledged_) fail("a read has not all earlier additions");
}

// The reply may have a later zxid than the state that it shows.
void CounterUse::on_ready(const zabkeeper::CounterReady& ready, wire::Zxid zxid) {
  const Model& model = world_.oracle().model();
  world_.cluster().counts().count(Rare::counter_ready);
  const auto shows_it = [&](const auto& event) {
    const wire::Zxid at = event.first;
    return at <= zxid && value_in(model.find(path_, at)) == ready.value &&
           number_in_receipt(model.find(path_ + '/' + id_, at)) == ready.last;
  };
  if (!std::ranges::any_of(model.events(), shows_it)) fail("Ready is of no state of the log");
  if (!std::exchange(is_to_add_again_, false)) return;
  if (ready.last < operations_.last()) return add(operations_.last());
  read_log();
  operations_.on_done(ready.last);
}

void CounterUse::on_failed(const zabkeeper::CounterFailed& failed) {
  const std::uint64_t number = std::exchange(adding_, 0);
  if (number == 0) return;  // another call
  read_log();
  operations_.on_failed(number, failed.may_be_done);
  world_.cluster().counts().count(failed.may_be_done ? Rare::addition_unknown
                                                     : Rare::addition_failed);
}

// --- The log ---

void CounterUse::read_log() {
  const Model& model = world_.oracle().model();
  for (auto each = model.events().upper_bound(checked_to_); each != model.events().end(); ++each) {
    on_transaction(each->first, each->second);
  }
  checked_to_ = model.last();
}

void CounterUse::on_transaction(wire::Zxid zxid, const Event& event) {
  const Model& model = world_.oracle().model();
  std::vector<std::string> receipts;
  bool is_counter_changed = false;
  for (const ZnodeChange& change : event.changes) {
    if (change.kind != wire::EventKind::changed) continue;
    if (change.path == path_) is_counter_changed = true;
    if (parent_path(change.path) == path_) receipts.push_back(change.path);
  }
  if (!is_counter_changed && receipts.empty()) return;
  if (!is_counter_changed || receipts.size() != 1) {
    fail(wire::to_string(zxid) + " is no addition with one receipt");
  }
  if (receipts[0] != path_ + '/' + id_) return;  // of another owner
  const std::uint64_t number = number_in_receipt(model.find(receipts[0], zxid));
  operations_.on_carried_out(number, zxid);
  const auto before = model.before(zxid).find(path_);
  const std::int64_t value = value_in(before ? &*before : nullptr);
  if (value_in(model.find(path_, zxid)) != value + amounts_[number]) {
    fail(wire::to_string(zxid) + " adds another amount than that of addition " +
         std::to_string(number));
  }
}

}  // namespace sim
