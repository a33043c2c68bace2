#include "tests/sim/service/queue_log.h"

#include <algorithm>
#include <string_view>
#include <variant>

#include "tests/sim/violation.h"

namespace sim {
namespace {

const std::string items_path = std::string(queue_path) + "/items";
const std::string takers_path = std::string(queue_path) + "/takers";
constexpr std::size_t number_digits = 10;

bool is_item(const std::string& path) { return parent_path(path) == items_path; }
bool is_claim(const std::string& path) { return is_item(parent_path(path)); }

std::string number_at_end(const std::string& name) {
  return name.substr(name.size() - std::min(name.size(), number_digits));
}

[[noreturn]] void fail(wire::Zxid zxid, const std::string& what) {
  throw Violation("queue", wire::to_string(zxid) + ' ' + what);
}

}  // namespace

void QueueLog::read() {
  const auto& events = model_.events();
  for (auto each = events.upper_bound(read_to_); each != events.end(); ++each) {
    on_transaction(each->first, each->second);
  }
  read_to_ = model_.last();
}

// An item is deleted with its claim, and the claim's end must not be seen first.
void QueueLog::on_transaction(wire::Zxid zxid, const Event& event) {
  for (const ZnodeChange& change : event.changes) {
    if (change.kind == wire::EventKind::created && is_item(change.path)) on_put(change.path, zxid);
    if (change.kind == wire::EventKind::deleted && is_item(change.path)) {
      on_deleted(change.path, zxid, event);
    }
  }
  for (const ZnodeChange& change : event.changes) {
    if (!is_claim(change.path)) continue;
    if (change.kind == wire::EventKind::created) on_claimed(change.path, zxid, event);
    if (change.kind != wire::EventKind::deleted) continue;
    QueueItem& item = items_.at(parent_path(change.path));
    if (event.txn.session != item.holder) item.is_disturbed = true;
    item.claim = {};
  }
}

// The data of all items differ.
void QueueLog::on_put(const std::string& path, wire::Zxid zxid) {
  items_[path] = {};
  const wire::Bytes& data = model_.find(path, zxid)->data;
  if (!by_data_.emplace(data, path).second) fail(zxid, "puts an item again: " + data);
}

void QueueLog::on_deleted(const std::string& path, wire::Zxid zxid, const Event& event) {
  QueueItem& item = items_.at(path);
  if (item.claim == wire::Zxid{} || item.holder != event.txn.session) {
    fail(zxid, "deletes the item " + path + ", which its session does not hold");
  }
  item.done = zxid;
  item.done_claim = item.claim;
}

void QueueLog::on_claimed(const std::string& path, wire::Zxid zxid, const Event& event) {
  const std::string item_path = parent_path(path);
  QueueItem& item = items_.at(item_path);
  if (model_.at(zxid).children(item_path).size() != 1) fail(zxid, "claims a held item " + path);
  item.claims += 1;
  item.claim = zxid;
  item.holder = event.txn.session;
  item.taker = model_.find(path, zxid)->data;
  check_line(item.taker, zxid);
}

// Takers are served in the order in which they came.
void QueueLog::check_line(const std::string& id, wire::Zxid zxid) const {
  const std::vector<std::string> line = model_.before(zxid).children(takers_path);
  const auto is_its = [&](const std::string& name) { return name.starts_with(id); };
  const auto its = std::ranges::find_if(line, is_its);
  if (its == line.end()) fail(zxid, "claims an item for a taker that is not in the line");
  const bool is_first = std::ranges::all_of(
      line, [&](const std::string& name) { return number_at_end(*its) <= number_at_end(name); });
  if (!is_first) fail(zxid, "claims an item for a taker that is not the first one");
  if (std::ranges::any_of(model_.at(zxid).children(takers_path), is_its)) {
    fail(zxid, "leaves a taker with an item in the line");
  }
}

// The names have due times and numbers of a fixed length, so they are in the order of both.
std::optional<std::string> QueueLog::first_free(const View& state, const std::string& end) const {
  for (const std::string& name : state.children(items_path)) {
    if (!end.empty() && name >= end) break;
    if (state.children(items_path + '/' + name).empty()) return name;
  }
  return std::nullopt;
}

void QueueLog::abandon_claims_of(const std::string& taker) {
  read();
  for (const auto& [path, item] : items_) {
    if (item.claim != wire::Zxid{} && item.taker == taker) abandoned_.insert(item.claim);
  }
}

bool QueueLog::has_open_items() const {
  return std::ranges::any_of(items_, [&](const auto& each) {
    const QueueItem& item = each.second;
    return item.done == wire::Zxid{} && !abandoned_.contains(item.claim);
  });
}

}  // namespace sim
