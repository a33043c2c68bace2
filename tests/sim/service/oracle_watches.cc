#include <algorithm>
#include <tuple>
#include <utility>
#include <variant>

#include "tests/sim/service/oracle.h"
#include "tests/sim/violation.h"

// Compares the watch events sent to connections with those of the model.
namespace sim {
namespace {

bool matches(const ExpectedWatch& watch, const ZnodeChange& change, wire::Zxid zxid) {
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

wire::WatchEvent event_of(const ExpectedWatch& watch, const ZnodeChange& change, wire::Zxid zxid) {
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

// Whether the next event may be missing, because a request to remove its watch is outstanding and
// may have been carried out already.
bool may_be_withheld(const ConnectionState& connection) {
  return !connection.due.empty() &&
         std::ranges::any_of(connection.unanswered, [&](const auto& tracked) {
           const auto* unwatch = std::get_if<wire::UnwatchRequest>(&tracked->request.request);
           return unwatch != nullptr && unwatch->watch == connection.due.front().watch;
         });
}

void set_aside(ConnectionState& connection) {
  connection.withheld.push_back(std::move(connection.due.front()));
  connection.due.pop_front();
}

bool is_before(const wire::WatchEvent& a, const wire::WatchEvent& b) {
  return std::tie(a.zxid, a.path, a.kind) < std::tie(b.zxid, b.path, b.kind);
}

bool lags(const ConnectionState& connection, const wire::RequestId& watch) {
  return std::ranges::find(connection.lagging, watch) != connection.lagging.end();
}

// The server has had no room for the next event: all watches get a resync.
void begin_lag(ConnectionState& connection, wire::Zxid at) {
  if (connection.lagging.empty()) connection.lags_at = at;
  const auto add = [&](const wire::RequestId& watch) {
    if (!lags(connection, watch)) connection.lagging.push_back(watch);
  };
  for (const ExpectedWatch& watch : connection.watches) add(watch.id);
  for (const wire::WatchEvent& event : connection.due) add(event.watch);
  for (const wire::WatchEvent& event : connection.withheld)
    std::erase(connection.lagging, event.watch);
  connection.due.clear();
}

// The server may have begun to lag between a read that sets a watch and its reply. Then a resync
// stands for all events before it, or will do so if the watches are still suspended. Leaves out
// what need not have been sent, and returns whether there is any.
bool leave_out_lag(const ConnectionState& connection, const ExpectedWatch& watch, bool suspended,
                   std::vector<wire::WatchEvent>& received, std::vector<wire::WatchEvent>& due) {
  const auto last = std::ranges::find_if(received.rbegin(), received.rend(), [](const auto& event) {
    return event.kind == wire::EventKind::resync;
  });
  const bool is_from = !due.empty() && due.front().kind == wire::EventKind::resync;
  const bool has_resync = last != received.rend() && !(is_from && *last == due.front());
  if (!has_resync && !suspended) return false;
  const wire::Zxid end = suspended ? wire::Zxid::from_bits(~std::uint64_t{0}) : last->zxid;
  const auto was_sent = [&](const wire::WatchEvent& event) {
    return std::ranges::find(received, event) != received.end();
  };
  std::erase_if(due, [&](const auto& event) {
    const bool may_lack = suspended ? event.zxid >= connection.lags_at : event.zxid <= end;
    return may_lack && !was_sent(event);
  });
  std::erase_if(received, [&](const auto& event) {
    return event.kind == wire::EventKind::resync && std::ranges::find(due, event) == due.end();
  });
  if (watch.once && has_resync) {
    std::erase_if(due, [&](const auto& event) { return event.zxid > end; });
  }
  return true;
}

// A move or the end of a session removes its watches.
bool ends_watches(const ConnectionState& connection, const Event& event) {
  const bool ends = std::holds_alternative<session::MoveTxn>(event.txn.body) ||
                    std::holds_alternative<session::CloseTxn>(event.txn.body);
  return ends && connection.session == event.txn.session;
}

// The watch that a request sets.
std::optional<ExpectedWatch> watch_of(const TrackedRequest& tracked) {
  const auto once = [&](const std::string& path, const wire::ReadOptions& read) {
    std::optional<ExpectedWatch> watch;
    if (read.watch) {
      watch = {.id = tracked.request.id, .path = path, .deleted = true, .once = true, .from = {}};
    }
    return watch;
  };
  const wire::Request& request = tracked.request.request;
  std::optional<ExpectedWatch> watch;
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
    watch = {.id = tracked.request.id,
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

// Adds the events of what the server has applied to those that must be sent.
void Oracle::expect(ConnectionState& connection, const session::Service& service) const {
  const wire::Zxid applied = service.applied();
  for (auto each = model_.events().upper_bound(connection.checked_to);
       each != model_.events().end() && each->first <= applied; ++each) {
    const auto& [zxid, event] = *each;
    if (ends_watches(connection, event)) {
      connection.watches.clear();
      connection.lagging.clear();
    }
    for (const ZnodeChange& change : event.changes) {
      std::erase_if(connection.watches, [&](const ExpectedWatch& watch) {
        if (lags(connection, watch.id) || !matches(watch, change, zxid)) return false;
        connection.due.push_back(event_of(watch, change, zxid));
        return watch.once;
      });
    }
    expect_turns(connection, zxid, event);
  }
  connection.checked_to = std::max(connection.checked_to, applied);
  if (service.watches().is_suspended(connection.session)) begin_lag(connection, applied);
}

void Oracle::on_events_sent(ConnectionState& connection, const session::Service& service) const {
  expect(connection, service);
  while (may_be_withheld(connection)) set_aside(connection);
  if (connection.due.empty()) return;
  throw Violation("watches", "an event was not sent: " + text_of(connection.due.front()));
}

// Of a watch that is set. A turn that is lost, because its index has no room, is no lag: other
// watches get no resync.
void Oracle::on_resync(ConnectionState& connection, const wire::WatchEvent& event) const {
  const auto is_lost_turn = [&](const ExpectedWatch& watch) {
    return watch.turn && watch.id == event.watch && !lags(connection, event.watch);
  };
  if (std::erase_if(connection.watches, is_lost_turn) > 0) return;
  if (!lags(connection, event.watch)) begin_lag(connection, event.zxid);
  std::erase(connection.lagging, event.watch);
  std::erase_if(connection.watches,
                [&](const ExpectedWatch& watch) { return watch.once && watch.id == event.watch; });
}

void Oracle::on_event(ConnectionState& connection, const wire::WatchEvent& event) {
  const auto is_its = [&](const auto& watch) { return watch.id == event.watch; };
  const bool is_set =
      lags(connection, event.watch) || std::ranges::any_of(connection.watches, is_its) ||
      std::ranges::any_of(connection.due,
                          [&](const auto& each) { return each.watch == event.watch; });
  if (event.kind == wire::EventKind::resync && is_set) return on_resync(connection, event);
  if (connection.due.empty() && is_late_turn(connection, event)) return;
  if (std::ranges::any_of(connection.withheld,
                          [&](const auto& e) { return e.watch == event.watch; })) {
    throw Violation("watches", text_of(event) + " is sent, but an earlier one was not");
  }
  // An event of a watch whose reply comes later.
  if (std::ranges::none_of(connection.due,
                           [&](const auto& each) { return each.watch == event.watch; })) {
    connection.early.push_back(event);
    return;
  }
  // Events of a session's end may come in another order.
  const Event& cause = model_.events().at(connection.due.front().zxid);
  while (connection.due.front() != event && may_be_withheld(connection)) {
    set_aside(connection);
    if (connection.due.empty())
      throw Violation("watches", "an event without a watch or a change: " + text_of(event));
  }
  auto found = connection.due.begin();
  // A watch for a turn is set when its reply is sent. A later request may have set its own before.
  const bool is_same_change = found->zxid == event.zxid && found->path == event.path &&
                              found->kind == wire::EventKind::deleted;
  if (is_same_change || std::holds_alternative<session::CloseTxn>(cause.txn.body)) {
    found = std::ranges::find(connection.due, event);
  }
  if (found == connection.due.end() || *found != event) {
    throw Violation("watches",
                    text_of(event) + " is sent instead of " + text_of(connection.due.front()));
  }
  connection.due.erase(found);
}

// The events of a watch with `from`, up to its reply.
std::vector<wire::WatchEvent> Oracle::past_events(const ExpectedWatch& watch,
                                                  const wire::Reply& reply,
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

// The read may have been carried out before its reply is sent. Then there are more events, up to
// now. Returns whether the watch is still set.
bool Oracle::add_later_events(const ConnectionState& connection, const ExpectedWatch& watch,
                              wire::Zxid from, std::vector<wire::WatchEvent>& events) const {
  bool is_set = !watch.once || events.empty();
  for (auto each = model_.events().upper_bound(from);
       is_set && each != model_.events().end() && each->first <= connection.checked_to; ++each) {
    if (ends_watches(connection, each->second)) is_set = false;
    for (const ZnodeChange& change : each->second.changes) {
      if (!is_set || !matches(watch, change, each->first)) continue;
      events.push_back(event_of(watch, change, each->first));
      is_set = !watch.once;
    }
  }
  return is_set;
}

void Oracle::set_watch(ConnectionState& connection, const TrackedRequest& tracked,
                       const wire::Reply& reply, const session::Service& service) {
  const auto* request = std::get_if<wire::WatchRequest>(&tracked.request.request);
  if (request != nullptr && request->scope == wire::WatchScope::turn) {
    if (std::get<wire::WatchReply>(*reply.body).turn == true) return;
    return watch_turn(connection, tracked.request.id, request->path, request->turn, service);
  }
  std::optional<ExpectedWatch> watch = watch_of(tracked);
  if (!watch) return;
  std::vector<wire::WatchEvent> due = past_events(*watch, reply, service);
  bool is_set = add_later_events(connection, *watch, reply.zxid, due);

  std::vector<wire::WatchEvent> received;
  std::erase_if(connection.early, [&](const wire::WatchEvent& event) {
    if (event.watch != watch->id) return false;
    received.push_back(event);
    return true;
  });
  if (!std::ranges::is_sorted(received, {}, &wire::WatchEvent::zxid)) {
    throw Violation("watches", "events since `from` are out of order");
  }
  const bool suspended = service.watches().is_suspended(connection.session);
  if (leave_out_lag(connection, *watch, suspended, received, due)) {
    is_set = !watch->once || (received.empty() && suspended);
    if (suspended && is_set) connection.lagging.push_back(watch->id);
  }
  std::ranges::stable_sort(received, is_before);
  std::ranges::stable_sort(due, is_before);
  // The session may have moved meanwhile. Then its client asks for the rest over the new
  // connection.
  const bool has_moved = !model_.owns(connection.session, *connection.owner, service.applied());
  if (has_moved && received.size() < due.size()) due.resize(received.size());
  if (received != due) {
    throw Violation("watches", describe(tracked) + " got " + std::to_string(received.size()) +
                                   " events since `from` instead of " + std::to_string(due.size()));
  }
  if (is_set) connection.watches.push_back(*std::move(watch));
}

}  // namespace sim
