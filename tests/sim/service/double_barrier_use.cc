#include "tests/sim/service/double_barrier_use.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "tests/sim/service/world.h"
#include "tests/sim/violation.h"

namespace sim {
namespace {

using zabkeeper::Ended;

const std::string double_barrier_path = "/double";
const std::string gate_prefix = double_barrier_path + "/gate-";

std::uint32_t number_of(const std::string& path) {
  constexpr std::size_t number_digits = 10;
  return static_cast<std::uint32_t>(std::stoul(path.substr(path.size() - number_digits)));
}

// Also of a path.
bool is_entry(const std::string& name) { return name.find("-entry-") != std::string::npos; }

// Their paths, in the order of their numbers.
std::vector<std::string> entries_in(const View& state) {
  std::vector<std::string> entries;
  for (const std::string& name : state.children(double_barrier_path)) {
    if (is_entry(name)) entries.push_back(double_barrier_path + '/' + name);
  }
  std::ranges::sort(entries, {}, number_of);
  return entries;
}

}  // namespace

void DoubleBarrierUse::fail(const std::string& what) const {
  throw Violation("double_barrier", "user " + std::to_string(user_) + ": " + what);
}

// --- What the user does ---

void DoubleBarrierUse::act(Random& random) {
  if (random.one_in(100)) remove_some(random);
  if (!barrier_ && random.one_in(3)) {
    id_ = some_recipe_id(random);
    messages_.forget(parts_++);
    barrier_.emplace(zabkeeper::DoubleBarrierOptions{
        .path = double_barrier_path, .id = id_, .participants = world_.options().double_barrier});
  }
  if (!barrier_) return;
  if (std::exchange(is_paused_, false)) return carry_out(barrier_->again(), {});
  switch (place_) {
    case Place::outside:
      if (random.one_in(2)) begin();
      break;
    case Place::entering:
      if (random.one_in(50)) stop();
      break;
    case Place::inside:
      if (random.one_in(4)) {
        leave();
      } else if (random.one_in(40)) {
        stop();
      }
      break;
    case Place::leaving:
      if (random.one_in(50)) stop();
      break;
    case Place::stopping: break;
  }
}

void DoubleBarrierUse::begin() {
  place_ = Place::entering;
  session_ = present_session_;
  carry_out(barrier_->begin(), {});
}

void DoubleBarrierUse::leave() {
  place_ = Place::leaving;
  carry_out(barrier_->leave(), {});
}

void DoubleBarrierUse::stop() {
  place_ = Place::stopping;
  world_.cluster().counts().count(Rare::participant_stopped);
  carry_out(barrier_->stop(), {});
}

// An operator deletes an entry of another user: then its participant has left.
void DoubleBarrierUse::remove_some(Random& random) {
  const Model& model = world_.oracle().model();
  std::vector<std::string> entries = entries_in(model.at(model.last()));
  std::erase_if(entries, [&](const std::string& entry) {
    return entry.starts_with(double_barrier_path + '/' + id_);
  });
  if (entries.empty()) return;
  messages_.add(0, {0, wire::DeleteRequest{entries[random.below(entries.size())]}});
}

bool DoubleBarrierUse::conclude() {
  read_log();
  if (!barrier_) return !messages_.has_unsent();
  if (std::exchange(is_paused_, false)) carry_out(barrier_->again(), {});
  const Model& model = world_.oracle().model();
  const auto waiting = entries_behind_gate(model.at(model.last())).size();
  switch (place_) {
    case Place::outside: stop(); break;
    case Place::entering:
      if (waiting < world_.options().double_barrier) stop();
      break;
    case Place::inside: leave(); break;
    case Place::leaving:
    case Place::stopping: break;
  }
  return false;
}

// --- Messages ---

// A reply that tells a turn may show a later state than that of its zxid.
void DoubleBarrierUse::receive(const wire::Reply& reply) {
  const auto origin = messages_.origin_of(reply.id);
  if (!origin || origin->recipe != parts_ || !barrier_) return;
  const wire::Zxid now = world_.oracle().model().last();
  carry_out(barrier_->replied(origin->number, reply.body, reply.zxid), now);
}

void DoubleBarrierUse::receive(const wire::WatchEvent& event) {
  const auto origin = messages_.origin_of(event.watch);
  if (!origin || origin->recipe != parts_ || !barrier_) return;
  carry_out(barrier_->received(origin->number, event), event.zxid);
}

void DoubleBarrierUse::lost_reply(const wire::RequestId& id) {
  const auto origin = messages_.origin_of(id);
  if (!origin || origin->recipe != parts_ || !barrier_) return;
  const wire::Error lost{wire::ErrorCode::connection_loss, ""};
  carry_out(barrier_->replied(origin->number, lost, {}), {});
}

void DoubleBarrierUse::lost_connection() {
  if (barrier_) carry_out(barrier_->connection_lost(), {});
}

void DoubleBarrierUse::lost_session() {
  messages_.clear();
  if (barrier_) carry_out(barrier_->session_lost(), {});
}

// --- What the barrier tells ---

void DoubleBarrierUse::carry_out(const zabkeeper::DoubleBarrierActions& actions, wire::Zxid zxid) {
  for (const zabkeeper::DoubleBarrierAction& action : actions) {
    if (const auto* ask = std::get_if<zabkeeper::Ask>(&action)) messages_.add(parts_, *ask);
    if (std::holds_alternative<zabkeeper::Pause>(action)) is_paused_ = true;
    if (std::holds_alternative<zabkeeper::Entered>(action)) on_entered(zxid);
    if (const auto* left = std::get_if<zabkeeper::Left>(&action)) on_left(*left, zxid);
    if (const auto* ended = std::get_if<Ended>(&action)) return on_ended(*ended);
  }
}

void DoubleBarrierUse::on_entered(wire::Zxid zxid) {
  read_log();
  world_.cluster().counts().count(Rare::participants_entered);
  if (place_ != Place::entering) fail("it is told that it has entered, and does not enter");
  place_ = Place::inside;
  const std::string& entry = barrier_->entry();
  for (const Generation& each : generations_) {
    if (std::ranges::find(each.entries, entry) == each.entries.end()) continue;
    if (zxid < each.opened) break;
    const auto node = world_.oracle().model().before(each.opened).find(entry);
    if (node->stat.ephemeral_owner != session_) fail("the entry is of another session: " + entry);
    entered_ = each;
    return;
  }
  fail("it has entered at " + wire::to_string(zxid) + ", and no generation has its entry " + entry);
}

void DoubleBarrierUse::on_left(const zabkeeper::Left& left, wire::Zxid zxid) {
  read_log();
  world_.cluster().counts().count(Rare::participants_left);
  if (!entered_ || place_ != Place::leaving) fail("it is told that it has left, and is inside");
  place_ = Place::outside;
  const bool is_removed = removed_.contains(barrier_->entry());
  if (left.generation != entered_->opened && !is_removed) {
    fail("it has left another generation than its own");
  }
  if (left.generation <= std::exchange(left_, left.generation)) fail("generations do not rise");
  check_left(*entered_, world_.oracle().model().at(zxid),
             "it is told too early that all have left");
  entered_.reset();
}

void DoubleBarrierUse::on_ended(const Ended& ended) {
  Totals& counts = world_.cluster().counts();
  if (ended.how == Ended::How::lost) counts.count(Rare::participant_lost);
  if (ended.how == Ended::How::failed) counts.count(Rare::participant_failed);
  const bool may_leave_entry = ended.how == Ended::How::lost || ended.how == Ended::How::failed;
  const Model& model = world_.oracle().model();
  for (const std::string& entry : entries_in(model.at(model.last()))) {
    if (may_leave_entry || !entry.starts_with(double_barrier_path + '/' + id_)) continue;
    fail("it has ended, and leaves its entry " + entry);
  }
  place_ = Place::outside;
  entered_.reset();
  is_paused_ = false;
  messages_.forget(parts_);
  barrier_.reset();
}

// --- The log ---

void DoubleBarrierUse::read_log() {
  const Model& model = world_.oracle().model();
  for (auto each = model.events().upper_bound(checked_to_); each != model.events().end(); ++each) {
    for (const ZnodeChange& change : each->second.changes) {
      if (parent_path(change.path) != double_barrier_path) continue;
      if (change.kind == wire::EventKind::deleted && is_entry(change.path)) {
        const auto entry = model.before(each->first).find(change.path);
        const bool is_its = entry && entry->stat.ephemeral_owner == each->second.txn.session;
        if (!is_its) removed_.insert(change.path);
      }
      const bool is_gate = change.path.starts_with(gate_prefix);
      if (!is_gate || change.kind != wire::EventKind::created) continue;
      if (number_of(change.path) > 0) on_opened(number_of(change.path), each->first);
    }
  }
  checked_to_ = model.last();
}

void DoubleBarrierUse::on_opened(std::uint32_t last, wire::Zxid zxid) {
  const View before = world_.oracle().model().before(zxid);
  Generation generation{zxid, last, entries_behind_gate(before)};
  std::erase_if(generation.entries,
                [&](const std::string& entry) { return number_of(entry) > last; });
  if (generation.entries.size() != world_.options().double_barrier) {
    fail(wire::to_string(zxid) + " opens a generation with " +
         std::to_string(generation.entries.size()) + " participants");
  }
  if (!generations_.empty()) {
    check_left(generations_.back(), before, "the next generation opens too early");
  }
  generations_.push_back(std::move(generation));
}

std::vector<std::string> DoubleBarrierUse::entries_behind_gate(const View& state) const {
  std::vector<std::string> entries = entries_in(state);
  const std::uint32_t gate = generations_.empty() ? 0 : generations_.back().last;
  std::erase_if(entries, [&](const std::string& entry) { return number_of(entry) <= gate; });
  return entries;
}

void DoubleBarrierUse::check_left(const Generation& generation, const View& state,
                                  const char* what) const {
  for (const std::string& entry : generation.entries) {
    if (state.find(entry)) fail(std::string(what) + ": " + entry);
  }
}

}  // namespace sim
