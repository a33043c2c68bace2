#include <algorithm>
#include <tuple>
#include <utility>
#include <variant>

#include "tests/sim/service/oracle.h"
#include "tests/sim/violation.h"

// What connections must be told by their watches, and what they are told.
namespace sim {
namespace {

bool matches(const Armed& watch, const ZnodeChange& change, wire::Zxid zxid) {
  if (watch.from && zxid <= *watch.from) return false;
  const bool is_wanted = (change.kind == wire::EventKind::created && watch.created) ||
                         (change.kind == wire::EventKind::changed && watch.changed) ||
                         (change.kind == wire::EventKind::deleted && watch.deleted) ||
                         (change.kind == wire::EventKind::children && watch.children);
  if (!is_wanted || !allows(change.acl, wire::Perm::read)) return false;
  if (change.path == watch.path) return true;
  const std::string prefix = watch.path == "/" ? "/" : watch.path + '/';
  return watch.subtree && change.path.starts_with(prefix);
}

wire::WatchEvent event_of(const Armed& watch, const ZnodeChange& change, wire::Zxid zxid) {
  wire::WatchEvent event{.watch = watch.id,
                         .kind = change.kind,
                         .path = change.path,
                         .zxid = zxid,
                         .data = {},
                         .stat = {}};
  if (watch.with_data) {
    event.data = change.data;
    event.stat = change.stat;
  }
  return event;
}

// Its watch is being removed, and may have been ahead of the request's turn: its reply will tell.
bool may_be_untold(const Heard& line) {
  return !line.due.empty() && std::ranges::any_of(line.waiting, [&](const auto& asked) {
    const auto* unwatch = std::get_if<wire::UnwatchRequest>(&asked->request.request);
    return unwatch != nullptr && unwatch->watch == line.due.front().watch;
  });
}

void set_aside(Heard& line) {
  line.untold.push_back(std::move(line.due.front()));
  line.due.pop_front();
}

bool is_before(const wire::WatchEvent& a, const wire::WatchEvent& b) {
  return std::tie(a.zxid, a.path, a.kind) < std::tie(b.zxid, b.path, b.kind);
}

// Whoever has the session now sets its own.
bool ends_watches(const Heard& line, const Event& event) {
  const bool ends = std::holds_alternative<session::MoveTxn>(event.txn.body) ||
                    std::holds_alternative<session::CloseTxn>(event.txn.body);
  return ends && line.session == event.txn.session;
}

// The watch that a request leaves behind.
std::optional<Armed> watch_of(const Asked& asked) {
  const auto once = [&](const std::string& path, const wire::ReadOptions& read) {
    std::optional<Armed> watch;
    if (read.watch) {
      watch = {.id = asked.request.id, .path = path, .deleted = true, .once = true, .from = {}};
    }
    return watch;
  };
  const wire::Request& request = asked.request.request;
  std::optional<Armed> watch;
  if (const auto* get = std::get_if<wire::GetRequest>(&request)) {
    if ((watch = once(get->path, get->read))) watch->changed = true;
  } else if (const auto* exists = std::get_if<wire::ExistsRequest>(&request)) {
    if ((watch = once(exists->path, exists->read))) watch->created = watch->changed = true;
  } else if (const auto* children = std::get_if<wire::ChildrenRequest>(&request)) {
    if ((watch = once(children->path, children->read))) watch->children = true;
  } else if (const auto* count = std::get_if<wire::CountRequest>(&request)) {
    if ((watch = once(count->path, count->read))) watch->created = watch->subtree = true;
  } else if (const auto* set = std::get_if<wire::WatchRequest>(&request)) {
    const bool of_nodes = set->scope != wire::WatchScope::children;
    watch = {.id = asked.request.id,
             .path = set->path,
             .created = of_nodes,
             .changed = of_nodes,
             .deleted = true,
             .children = !of_nodes,
             .subtree = set->scope == wire::WatchScope::subtree,
             .once = set->once,
             .with_data = set->with_data,
             .from = set->from};
  }
  return watch;
}

}  // namespace

// What is applied now, and what a line must be told of it.
void Oracle::expect(Heard& line, wire::Zxid applied) const {
  for (auto each = model_.events().upper_bound(line.expected);
       each != model_.events().end() && each->first <= applied; ++each) {
    const auto& [zxid, event] = *each;
    if (ends_watches(line, event)) line.watches.clear();
    for (const ZnodeChange& change : event.changes) {
      std::erase_if(line.watches, [&](const Armed& watch) {
        if (!matches(watch, change, zxid)) return false;
        line.due.push_back(event_of(watch, change, zxid));
        return watch.once;
      });
    }
  }
  line.expected = std::max(line.expected, applied);
}

void Oracle::on_told(Heard& line, wire::Zxid applied) const {
  expect(line, applied);
  while (may_be_untold(line)) set_aside(line);
  if (line.due.empty()) return;
  throw Violation("watches", "an event is not told: " + in_words(line.due.front()));
}

void Oracle::on_event(Heard& line, const wire::WatchEvent& event) {
  if (std::ranges::any_of(line.untold, [&](const auto& e) { return e.watch == event.watch; })) {
    throw Violation("watches", in_words(event) + " is told, and one before it was not");
  }
  // Of a watch that is being set: known from its reply.
  if (std::ranges::none_of(line.due, [&](const auto& each) { return each.watch == event.watch; })) {
    line.early.push_back(event);
    return;
  }
  // Those of a session's end come in an order of their own.
  const Event& cause = model_.events().at(line.due.front().zxid);
  while (line.due.front() != event && may_be_untold(line)) {
    set_aside(line);
    if (line.due.empty()) throw Violation("watches", "an event of nothing: " + in_words(event));
  }
  auto found = line.due.begin();
  if (std::holds_alternative<session::CloseTxn>(cause.txn.body)) {
    found = std::ranges::find(line.due, event);
  }
  if (found == line.due.end() || *found != event) {
    throw Violation("watches",
                    in_words(event) + " is told instead of " + in_words(line.due.front()));
  }
  line.due.erase(found);
}

// What a watch that goes on from a zxid has missed up to the reply.
std::vector<wire::WatchEvent> Oracle::past_of(const Armed& watch, const wire::Reply& reply,
                                              const session::Service& service) const {
  std::vector<wire::WatchEvent> events;
  if (!watch.from) return events;
  if (*watch.from < service.watches().history().start()) {
    events.push_back({.watch = watch.id,
                      .kind = wire::EventKind::resync,
                      .path = watch.path,
                      .zxid = reply.zxid,
                      .data = {},
                      .stat = {}});
    return events;
  }
  for (auto each = model_.events().upper_bound(*watch.from);
       each != model_.events().end() && each->first <= reply.zxid; ++each) {
    for (const ZnodeChange& change : each->second.changes) {
      if (!matches(watch, change, each->first)) continue;
      if (watch.once && !events.empty()) continue;
      events.push_back(event_of(watch, change, each->first));
    }
  }
  std::ranges::stable_sort(events, is_before);
  return events;
}

// The read may have been carried out before its turn came: then there is more to be told, up to
// now. Whether the watch is left behind.
bool Oracle::catch_up(const Heard& line, const Armed& watch, wire::Zxid from,
                      std::vector<wire::WatchEvent>& events) const {
  bool is_set = !watch.once || events.empty();
  for (auto each = model_.events().upper_bound(from);
       is_set && each != model_.events().end() && each->first <= line.expected; ++each) {
    if (ends_watches(line, each->second)) is_set = false;
    for (const ZnodeChange& change : each->second.changes) {
      if (!is_set || !matches(watch, change, each->first)) continue;
      events.push_back(event_of(watch, change, each->first));
      is_set = !watch.once;
    }
  }
  return is_set;
}

void Oracle::arm(Heard& line, const Asked& asked, const wire::Reply& reply,
                 const session::Service& service) {
  std::optional<Armed> watch = watch_of(asked);
  if (!watch) return;
  std::vector<wire::WatchEvent> due = past_of(*watch, reply, service);
  const bool is_set = catch_up(line, *watch, reply.zxid, due);

  std::vector<wire::WatchEvent> told;
  std::erase_if(line.early, [&](const wire::WatchEvent& event) {
    if (event.watch != watch->id) return false;
    told.push_back(event);
    return true;
  });
  if (!std::ranges::is_sorted(told, {}, &wire::WatchEvent::zxid)) {
    throw Violation("watches", "the past is told out of order");
  }
  std::ranges::stable_sort(told, is_before);
  if (told != due) {
    throw Violation("watches", what(asked) + " is told of " + std::to_string(told.size()) +
                                   " events of the past, and there are " +
                                   std::to_string(due.size()));
  }
  if (is_set) line.watches.push_back(*std::move(watch));
}

}  // namespace sim
