#include "session/watches.h"

#include <algorithm>
#include <type_traits>
#include <utility>
#include <variant>

#include "znode/path.h"

namespace session {
namespace {

using wire::Error;
using wire::ErrorCode;
using wire::EventKind;
using wire::WatchEvent;

// What each request's watch is there for: the table of docs/protocol.md, "Watch events".
constexpr Interest of_get{.changed = true, .deleted = true};
constexpr Interest of_exists{.created = true, .changed = true, .deleted = true};
constexpr Interest of_children{.deleted = true, .children = true};
constexpr Interest of_count{.created = true, .deleted = true};
constexpr Interest of_node{.created = true, .changed = true, .deleted = true};

Watch one_shot(const std::string& path, Interest interest,
               Watch::Reach reach = Watch::Reach::node) {
  return {.path = path, .interest = interest, .reach = reach, .once = true, .from = {}};
}

std::optional<Watch> of(const wire::GetRequest& request) {
  if (!request.read.watch) return std::nullopt;
  return one_shot(request.path, of_get);
}

std::optional<Watch> of(const wire::ExistsRequest& request) {
  if (!request.read.watch) return std::nullopt;
  return one_shot(request.path, of_exists);
}

std::optional<Watch> of(const wire::ChildrenRequest& request) {
  if (!request.read.watch) return std::nullopt;
  return one_shot(request.path, of_children);
}

std::optional<Watch> of(const wire::CountRequest& request) {
  if (!request.read.watch) return std::nullopt;
  return one_shot(request.path, of_count, Watch::Reach::subtree);
}

std::optional<Watch> of(const wire::WatchRequest& request) {
  Watch watch{.path = request.path,
              .interest = of_node,
              .once = request.once,
              .with_data = request.with_data,
              .from = request.from};
  if (request.scope == wire::WatchScope::children) watch.interest = of_children;
  if (request.scope == wire::WatchScope::subtree) watch.reach = Watch::Reach::subtree;
  return watch;
}

template <class Request>
std::optional<Watch> of(const Request&) {
  return std::nullopt;
}

bool matches(const Watch& watch, const znode::Change& change) {
  if (!watch.interest.in(change.kind)) return false;
  return change.path == watch.path ||
         (watch.reach == Watch::Reach::subtree && znode::is_below(change.path, watch.path));
}

WatchEvent event(const wire::RequestId& id, const Watch& watch, wire::Zxid zxid,
                 const znode::Change& change) {
  WatchEvent event{
      .watch = id, .kind = change.kind, .path = change.path, .zxid = zxid, .data = {}, .stat = {}};
  if (watch.with_data) {
    event.data = change.data;
    event.stat = change.stat;
    event.encoding = watch.encoding;
  }
  return event;
}

// What `watch` missed since `from`, of what its client may know.
std::vector<WatchEvent> replay(const History& history, const wire::RequestId& id,
                               const Watch& watch, wire::Zxid from,
                               const znode::Identities& identities) {
  std::vector<WatchEvent> events;
  if (from < history.start()) {
    events.push_back({.watch = id,
                      .kind = EventKind::resync,
                      .path = watch.path,
                      .zxid = history.end(),
                      .data = {},
                      .stat = {}});
    return events;
  }
  for (auto entry = history.first_after(from); entry != history.last(); ++entry) {
    for (const znode::Change& change : entry->changes) {
      if (!matches(watch, change)) continue;
      if (!znode::allows(change.acl, identities, wire::Perm::read)) continue;
      events.push_back(event(id, watch, entry->zxid, change));
      if (watch.once) return events;
    }
  }
  return events;
}

}  // namespace

bool Interest::in(EventKind kind) const {
  switch (kind) {
    case EventKind::created: return created;
    case EventKind::changed: return changed;
    case EventKind::deleted: return deleted;
    case EventKind::children: return children;
    case EventKind::resync: return false;
  }
  return false;
}

std::optional<Watch> watch_of(const wire::Request& request) {
  return std::visit([](const auto& each) { return of(each); }, request);
}

Watches::Watches(Bounds bounds) : bounds_(bounds), history_(bounds.history) {}

wire::Result<std::vector<WatchEvent>> Watches::add(wire::SessionId session,
                                                   const wire::RequestId& id, Watch watch,
                                                   const znode::Identities& identities) {
  if (id.none()) return Error{ErrorCode::bad_arguments, "id: a watch is known by its request's id"};
  if (const auto own = sessions_.find(session); own != sessions_.end()) {
    if (own->second.armed.contains(id.json)) {
      return Error{ErrorCode::bad_arguments,
                   "id: " + id.json + " is that of a watch that is still set"};
    }
  }
  if (size(session) >= bounds_.per_session_max) {
    return Error{ErrorCode::too_many_watches, "this session has " + std::to_string(size(session)) +
                                                  " watches, as many as it may"};
  }

  std::vector<WatchEvent> missed;
  if (watch.from) missed = replay(history_, id, watch, *watch.from, identities);
  if (watch.once && !missed.empty()) return missed;

  const std::uint64_t serial = ++last_serial_;
  OfSession& own = sessions_[session];
  own.identities = identities;
  const auto& [key, armed] =
      *own.armed.emplace(id.json, Armed{session, id, std::move(watch), serial}).first;
  index(armed.watch.reach)[armed.watch.path].emplace(serial, &armed);
  size_ += 1;
  return missed;
}

wire::Result<void> Watches::remove(wire::SessionId session, const wire::RequestId& id) {
  const auto own = sessions_.find(session);
  if (own == sessions_.end() || !own->second.armed.contains(id.json)) {
    return Error{ErrorCode::no_watcher,
                 "watch: there is none of id " + (id.none() ? "null" : id.json)};
  }
  disarm(own->second.armed.at(id.json));
  return {};
}

void Watches::remove_session(wire::SessionId session) {
  while (size(session) > 0) disarm(sessions_.at(session).armed.begin()->second);
}

std::vector<Delivery> Watches::fire(wire::Zxid zxid, std::vector<znode::Change> changes) {
  std::vector<Delivery> deliveries;
  BySerial found;
  for (const znode::Change& change : changes) {
    if (size_ == 0) break;
    found.clear();
    find(change, found);
    for (const auto& [serial, armed] : found) {
      // Whoever resumed elsewhere may have seen more than this server had.
      if (armed->watch.from && zxid <= *armed->watch.from) continue;
      if (!may_know(armed->session, change)) continue;
      deliveries.push_back({armed->session, event(armed->id, armed->watch, zxid, change)});
      if (armed->watch.once) disarm(*armed);
    }
  }
  history_.add(zxid, std::move(changes));
  return deliveries;
}

void Watches::identify(wire::SessionId session, const znode::Identities& identities) {
  const auto own = sessions_.find(session);
  if (own != sessions_.end()) own->second.identities = identities;
}

bool Watches::may_know(wire::SessionId session, const znode::Change& change) const {
  return change.acl.is_open() ||
         znode::allows(change.acl, sessions_.at(session).identities, wire::Perm::read);
}

std::size_t Watches::size(wire::SessionId session) const {
  const auto own = sessions_.find(session);
  return own == sessions_.end() ? 0 : own->second.armed.size();
}

void Watches::disarm(const Armed& armed) {
  ByPath& by_path = index(armed.watch.reach);
  const auto at_path = by_path.find(armed.watch.path);
  at_path->second.erase(armed.serial);
  if (at_path->second.empty()) by_path.erase(at_path);
  size_ -= 1;

  const auto own = sessions_.find(armed.session);
  own->second.armed.erase(own->second.armed.find(armed.id.json));
  if (own->second.armed.empty()) sessions_.erase(own);
}

void Watches::find(const znode::Change& change, BySerial& found) const {
  const auto take = [&](const ByPath& by_path, std::string_view path) {
    const auto at_path = by_path.find(path);
    if (at_path == by_path.end()) return;
    for (const auto& entry : at_path->second) {
      if (entry.second->watch.interest.in(change.kind)) found.insert(entry);
    }
  };

  take(nodes_, change.path);
  if (subtrees_.empty()) return;
  for (std::string_view path = change.path;; path = znode::parent_of(path)) {
    take(subtrees_, path);
    if (path == "/") return;
  }
}

}  // namespace session
