#include "session/watches.h"

#include <string>
#include <utility>

#include "znode/path.h"

namespace session {
namespace {

using wire::Error;
using wire::ErrorCode;
using wire::EventKind;
using wire::WatchEvent;

bool matches(const Watch& watch, const znode::Change& change) {
  if (!watch.interest.includes(change.kind)) return false;
  return change.path == watch.path ||
         (watch.reach == Watch::Reach::subtree && znode::is_below(change.path, watch.path));
}

WatchEvent event(const wire::RequestId& id, wire::Zxid zxid, const znode::Change& change) {
  return {
      .watch = id, .kind = change.kind, .path = change.path, .zxid = zxid, .data = {}, .stat = {}};
}

void add_data(WatchEvent& event, const znode::Change& change, wire::Encoding encoding) {
  event.data = change.data;
  event.stat = change.stat;
  event.encoding = encoding;
}

// The events that `watch` missed since `from`, only for changes that its client may read.
std::vector<WatchEvent> replay(const ChangeHistory& history, const wire::RequestId& id,
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
      events.push_back(event(id, entry->zxid, change));
      if (watch.with_data) add_data(events.back(), change, watch.encoding);
      if (watch.once) return events;
    }
  }
  return events;
}

bool may_see(const Watcher& watcher, const znode::Change& change) {
  return change.acl.is_open() || znode::allows(change.acl, watcher.identities, wire::Perm::read);
}

}  // namespace

Watches::Watches(const Options& options)
    : per_session_max_(options.per_session_max),
      history_(options.history),
      table_(options.hash_key) {}

wire::Result<void> Watches::check_limits(wire::SessionId session, const wire::RequestId& id,
                                         const Watch& watch) const {
  if (id.none())
    return Error{ErrorCode::bad_arguments, "id: a request that sets a watch needs an id"};
  if (table_.find(session, id.json) != nullptr) {
    return Error{ErrorCode::bad_arguments, "id: a watch with id " + id.json + " is still set"};
  }
  const std::size_t count = size(session);
  if (count >= per_session_max_) {
    return Error{ErrorCode::too_many_watches,
                 "this session has " + std::to_string(count) + " watches, which is the maximum"};
  }
  const std::size_t text = table_.text_bytes(session) + watch.path.size() + id.json.size();
  if (text > per_session_max_ * text_bytes_each) {
    return Error{ErrorCode::too_many_watches,
                 "the paths and ids of this session's watches would have " + std::to_string(text) +
                     " bytes, more than the maximum of " +
                     std::to_string(per_session_max_ * text_bytes_each)};
  }
  return {};
}

wire::Result<std::vector<WatchEvent>> Watches::add(wire::SessionId session,
                                                   const wire::RequestId& id, const Watch& watch,
                                                   const znode::Identities& identities) {
  if (auto checked = check_limits(session, id, watch); !checked) return checked.error();
  std::vector<WatchEvent> missed;
  if (watch.from) missed = replay(history_, id, watch, *watch.from, identities);
  if (watch.once && !missed.empty()) return missed;
  table_.add(session, identities, id, watch);
  return missed;
}

wire::Result<void> Watches::remove(wire::SessionId session, const wire::RequestId& id) {
  const SetWatch* watch = table_.find(session, id.json);
  if (watch == nullptr) {
    return Error{ErrorCode::no_watcher,
                 "watch: there is no watch with id " + (id.none() ? "null" : id.json)};
  }
  table_.remove(*watch);
  return {};
}

// Next: Pipeline::deliver (server/pipeline/pipeline.cc) sends the events, and then the reply
// (replies.cc).
std::vector<Delivery> Watches::fire(wire::Zxid zxid, std::vector<znode::Change> changes) {
  std::vector<Delivery> deliveries;
  std::vector<const SetWatch*> found;
  for (const znode::Change& change : changes) {
    if (table_.size() == 0) break;
    found.clear();
    table_.find(change.path, change.kind, found);
    for (const SetWatch* watch : found) {
      // A client that resumed here may already know later changes than this server had applied.
      if (const auto from = watch->from(); from && zxid <= *from) continue;
      if (!may_see(watch->watcher(), change)) continue;
      deliveries.push_back(
          {watch->watcher().session, event({std::string(watch->id())}, zxid, change)});
      if (watch->with_data()) add_data(deliveries.back().event, change, watch->encoding());
      if (watch->once()) table_.remove(*watch);
    }
  }
  history_.add(zxid, std::move(changes));
  return deliveries;
}

void Watches::begin_after(wire::Zxid zxid) {
  table_.clear();
  history_.begin_after(zxid);
}

}  // namespace session
