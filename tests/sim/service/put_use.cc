#include "tests/sim/service/put_use.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "tests/sim/service/world.h"
#include "tests/sim/violation.h"

namespace sim {
namespace {

constexpr std::size_t items_max = 6;  // in the queue

}  // namespace

PutUse::PutUse(World& world, std::size_t user)
    : world_(world), user_(user), operations_("queue", "user " + std::to_string(user)) {}

void PutUse::fail(const std::string& what) const {
  throw Violation("queue", "user " + std::to_string(user_) + ": " + what);
}

std::string PutUse::receipt() const { return world_.queue().puts() + '/' + id_; }

// --- What the user does ---

void PutUse::act(Random& random) {
  if (!producer_ || random.one_in(producer_->is_idle() ? 60 : 30)) return start(random);
  if (std::exchange(is_paused_, false)) carry_out(producer_->again(), {});
  if (!producer_->is_idle() || !random.one_in(5)) return;
  const std::uint64_t last = operations_.last();
  const bool is_open = operations_.is_last_open();
  if (last > 0 && may_put_again() && random.one_in(is_open ? 2 : 6)) return put(last);
  // At the end the users take all items that are left, and they have little time for it.
  const Model& model = world_.oracle().model();
  if (model.at(model.last()).children(world_.queue().items()).size() >= items_max) return;
  const std::uint64_t number = last + random.between(1, 2);
  Item& item = items_[number];
  item.data = std::to_string(user_) + '.' + std::to_string(number);
  if (world_.queue().order == zabkeeper::ItemOrder::due) {
    item.due_ms = world_.client_clock_ms();
    if (!random.one_in(3)) item.due_ms += static_cast<std::int64_t>(random.below(60)) * tick_ms;
  }
  put(number);
}

// The program has stored the numbers and data of its items.
void PutUse::start(Random& random) {
  if (id_.empty()) {
    id_ = some_recipe_id(random);
    has_short_receipt_ = random.one_in(3);
  }
  messages_.forget(starts_++);
  is_paused_ = has_put_ = false;
  putting_ = 0;
  operations_.on_restart();
  zabkeeper::QueueProducerOptions options;
  options.queue = world_.queue();
  options.id = id_;
  if (has_short_receipt_) options.receipt_ttl_ms = 20 * tick_ms;
  producer_.emplace(std::move(options));
  is_to_put_again_ = operations_.is_last_open() && !has_short_receipt_;
  if (is_to_put_again_ && random.one_in(3)) return put(operations_.last());
  carry_out(producer_->begin(), {});
}

// As CounterUse::may_add_again.
bool PutUse::may_put_again() const {
  return !has_short_receipt_ || (has_put_ && operations_.is_last_open());
}

void PutUse::put(std::uint64_t number) {
  read_log();
  putting_ = number;
  has_put_ = true;
  is_to_put_again_ = false;
  is_done_before_ = operations_.is_carried_out(number);
  operations_.begin(number);
  const Item& item = items_[number];
  carry_out(producer_->put(number, item.data, item.due_ms), {});
}

bool PutUse::conclude() {
  if (!producer_) return true;
  if (std::exchange(is_paused_, false)) carry_out(producer_->again(), {});
  if (!producer_->is_idle()) return false;
  const bool is_open = operations_.is_last_open() && may_put_again();
  if (is_open && !std::exchange(has_settled_, true)) put(operations_.last());
  return producer_->is_idle();
}

// --- Messages ---

void PutUse::receive(const wire::Reply& reply) {
  const auto origin = messages_.origin_of(reply.id);
  if (!origin) return;
  carry_out(producer_->replied(origin->number, reply.body, reply.zxid), reply.zxid);
}

void PutUse::lost_reply(const wire::RequestId& id) {
  const auto origin = messages_.origin_of(id);
  if (!origin) return;
  const wire::Error lost{wire::ErrorCode::connection_loss, ""};
  carry_out(producer_->replied(origin->number, lost, {}), {});
}

void PutUse::lost_session() {
  messages_.clear();
  if (producer_) carry_out(producer_->session_lost(), {});
}

// --- What the producer tells ---

void PutUse::carry_out(const zabkeeper::PutActions& actions, wire::Zxid zxid) {
  for (const zabkeeper::PutAction& action : actions) {
    if (const auto* ask = std::get_if<zabkeeper::Ask>(&action)) messages_.add(starts_, *ask);
    if (std::holds_alternative<zabkeeper::Pause>(action)) is_paused_ = true;
    if (const auto* done = std::get_if<zabkeeper::PutDone>(&action)) on_done(done->number);
    if (const auto* ready = std::get_if<zabkeeper::PutReady>(&action)) on_ready(*ready, zxid);
    if (const auto* failed = std::get_if<zabkeeper::PutFailed>(&action)) on_failed(*failed);
  }
}

void PutUse::on_done(std::uint64_t number) {
  read_log();
  if (number != std::exchange(putting_, 0)) fail("another item is told as put");
  operations_.on_done(number);
  world_.cluster().counts().count(is_done_before_ ? Rare::item_put_before : Rare::item_put);
}

// The reply may have a later zxid than the state that it shows.
void PutUse::on_ready(const zabkeeper::PutReady& ready, wire::Zxid zxid) {
  const Model& model = world_.oracle().model();
  const auto shows_it = [&](const auto& event) {
    return event.first <= zxid &&
           number_in_receipt(model.find(receipt(), event.first)) == ready.last;
  };
  if (!std::ranges::any_of(model.events(), shows_it)) fail("Ready is of no state of the log");
  if (!std::exchange(is_to_put_again_, false)) return;
  if (ready.last < operations_.last()) return put(operations_.last());
  read_log();
  operations_.on_done(ready.last);
}

void PutUse::on_failed(const zabkeeper::PutFailed& failed) {
  const std::uint64_t number = std::exchange(putting_, 0);
  if (number == 0) return;  // of `begin`
  read_log();
  operations_.on_failed(number, failed.may_be_done);
  world_.cluster().counts().count(failed.may_be_done ? Rare::put_unknown : Rare::put_failed);
}

// --- The log ---

void PutUse::read_log() {
  const Model& model = world_.oracle().model();
  for (auto each = model.events().upper_bound(checked_to_); each != model.events().end(); ++each) {
    for (const ZnodeChange& change : each->second.changes) {
      if (change.kind != wire::EventKind::changed || change.path != receipt()) continue;
      on_put(number_in_receipt(model.find(receipt(), each->first)), each->first, each->second);
    }
  }
  checked_to_ = model.last();
}

void PutUse::on_put(std::uint64_t number, wire::Zxid zxid, const Event& event) {
  operations_.on_carried_out(number, zxid);
  const std::string items = world_.queue().items();
  std::size_t count = 0;
  for (const ZnodeChange& change : event.changes) {
    if (change.kind != wire::EventKind::created || parent_path(change.path) != items) continue;
    count += 1;
    const Item& item = items_[number];
    const auto due_ms = zabkeeper::due_time_of(change.path.substr(items.size() + 1));
    const bool is_its = world_.oracle().model().find(change.path, zxid)->data == item.data &&
                        due_ms.value_or(0) == item.due_ms;
    if (!is_its) fail("another item is put than item " + std::to_string(number));
  }
  if (count != 1) fail("item " + std::to_string(number) + " is put " + std::to_string(count));
}

}  // namespace sim
