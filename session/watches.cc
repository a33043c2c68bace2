#include "session/watches.h"

#include <string>
#include <utility>

#include "session/event_size.h"
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

// A watch that a change finds, and that reports nothing, is counted as an event of so many bytes:
// it takes time.
constexpr std::size_t silent_bytes = 64;

// The events that `watch` missed since `from`, only for changes that its client may read.
std::vector<WatchEvent> replay(const ChangeHistory& history, const wire::RequestId& id,
                               const Watch& watch, wire::Zxid from,
                               const znode::Identities& identities, std::size_t bytes_max) {
  if (from < history.start()) return {resync_event(id, watch.path, history.end())};
  std::vector<WatchEvent> events;
  std::size_t bytes = 0;
  for (auto entry = history.first_after(from); entry != history.last(); ++entry) {
    for (const znode::Change& change : entry->changes) {
      if (!matches(watch, change)) continue;
      if (!znode::allows(change.acl, identities, wire::Perm::read)) continue;
      events.push_back(event(id, entry->zxid, change));
      if (watch.with_data) add_data(events.back(), change, watch.encoding);
      if (watch.once) return events;
      bytes += size_of(events.back());
      if (bytes > bytes_max) return {resync_event(id, watch.path, history.end())};
    }
  }
  return events;
}

bool may_see(const Watcher& watcher, const znode::Change& change) {
  return change.acl.is_open() || znode::allows(change.acl, watcher.identities, wire::Perm::read);
}

// A watch that waits for a turn is also told that its node is gone.
Watch watch_of_turn(std::string_view path, const wire::TurnOptions& options) {
  Watch watch{.path = std::string(path), .interest = {.deleted = true}, .once = true, .from = {}};
  watch.extra_bytes = Turns::bytes_of(options);
  return watch;
}

}  // namespace

WatchEvent resync_event(const wire::RequestId& id, std::string_view path, wire::Zxid zxid) {
  return {.watch = id,
          .kind = EventKind::resync,
          .path = std::string(path),
          .zxid = zxid,
          .data = {},
          .stat = {}};
}

Watches::Watches(const Options& options)
    : per_session_max_(options.per_session_max),
      event_bytes_max_(options.event_bytes_max),
      missed_bytes_max_(options.missed_bytes_max),
      budget_(options.budget),
      history_(options.history),
      table_(options.hash_key, options.budget) {}

wire::Result<void> Watches::check_limits(wire::SessionId session, const wire::RequestId& id,
                                         const Watch& watch, bool replaces) const {
  if (id.none())
    return Error{ErrorCode::bad_arguments, "id: a request that sets a watch needs an id"};
  if (!replaces && table_.find(session, id.json) != nullptr) {
    return Error{ErrorCode::bad_arguments, "id: a watch with id " + id.json + " is still set"};
  }
  const std::size_t count = size(session);
  if (count >= per_session_max_) {
    return Error{ErrorCode::too_many_watches,
                 "this session has " + std::to_string(count) + " watches, which is the maximum"};
  }
  const std::size_t text =
      table_.text_bytes(session) + watch.path.size() + id.json.size() + watch.extra_bytes;
  if (text > per_session_max_ * text_bytes_each) {
    return Error{ErrorCode::too_many_watches,
                 "the paths and ids of this session's watches would have " + std::to_string(text) +
                     " bytes, more than the maximum of " +
                     std::to_string(per_session_max_ * text_bytes_each)};
  }
  if (table_.size(watch.reach, watch.path) >= path_watches_max) {
    return Error{ErrorCode::too_many_watches,
                 "this server has " + std::to_string(path_watches_max) +
                     " watches of exactly this path and kind already, which is the maximum"};
  }
  if (budget_ == nullptr) return {};
  return budget_->check(session, WatchTable::memory(count + 1, text));
}

wire::Result<std::vector<WatchEvent>> Watches::add(wire::SessionId session,
                                                   const wire::RequestId& id, const Watch& watch,
                                                   const znode::Identities& identities) {
  if (auto checked = check_limits(session, id, watch); !checked) return checked.error();
  std::vector<WatchEvent> missed;
  if (watch.from) missed = replay(history_, id, watch, *watch.from, identities, missed_bytes_max_);
  if (watch.once && !missed.empty()) return missed;
  table_.add(session, identities, id, watch);
  return missed;
}

wire::Result<void> Watches::check_turn(wire::SessionId session, const wire::RequestId& id,
                                       const std::string& path, const wire::TurnOptions& options,
                                       const znode::Tree& tree, bool replaces) {
  if (auto checked = check_limits(session, id, watch_of_turn(path, options), replaces); !checked) {
    return checked;
  }
  return table_.turns().check(tree, path, options);
}

wire::Result<void> Watches::reserve(wire::SessionId session, const wire::RequestId& id,
                                    std::string_view path, const wire::TurnOptions& options,
                                    const znode::Identities& identities, const znode::Tree& tree) {
  Watch watch = watch_of_turn(path, options);
  if (auto checked = check_turn(session, id, watch.path, options, tree, false); !checked) {
    return checked;
  }
  watch.reserved = true;
  table_.add(session, identities, id, watch);
  return {};
}

bool Watches::release(wire::SessionId session, const wire::RequestId& id) {
  const SetWatch* watch = table_.find(session, id.json);
  if (watch == nullptr || !watch->is_reserved()) return false;
  table_.remove(*watch);
  return true;
}

bool Watches::ask_turn(wire::SessionId session, const wire::RequestId& id, const std::string& path,
                       const wire::TurnOptions& options, const znode::Identities& identities,
                       const znode::Tree& tree) {
  if (const SetWatch* former = table_.find(session, id.json)) table_.remove(*former);
  if (table_.turns().is_turn(tree, path, options) == true) return true;
  const SetWatch& set = table_.add(session, identities, id, watch_of_turn(path, options));
  if (!set.watcher().is_suspended) table_.turns().add(tree, set, options);
  return false;
}

void Watches::tick_turns(const znode::Tree& tree) {
  table_.turns().tick(tree, [&](const SetWatch& watch) {
    const znode::Node* node = tree.find(watch.path());
    return node != nullptr &&
           znode::allows(node->acl(), watch.watcher().identities, wire::Perm::read);
  });
}

std::vector<wire::SessionId> Watches::tell_turns(const znode::Tree& tree, const EventSink& sink) {
  std::vector<wire::SessionId> lagging;
  for (Turns::Due& due : table_.turns().take_due()) {
    const SetWatch& watch = *due.watch;
    Watcher& watcher = watch.watcher();
    // The session lags since an earlier event.
    if (watcher.is_suspended) continue;
    if (!due.is_lost) {
      const znode::Node* node = tree.find(watch.path());
      if (node == nullptr) continue;  // its client may not know yet that it was deleted
      if (!znode::allows(node->acl(), watcher.identities, wire::Perm::read)) {
        table_.turns().bar(std::move(due));
        continue;
      }
    }
    WatchEvent told = resync_event({std::string(watch.id())}, watch.path(), history_.end());
    if (!due.is_lost) told.kind = EventKind::turn;
    const bool is_sent = sink(watcher.session, std::move(told));
    if (is_sent) {
      table_.remove(watch);
    } else {
      lagging.push_back(watcher.session);
      table_.suspend(watcher.session);
    }
  }
  return lagging;
}

wire::Result<void> Watches::remove(wire::SessionId session, const wire::RequestId& id) {
  const SetWatch* watch = table_.find(session, id.json);
  if (watch == nullptr || watch->is_reserved()) {
    return Error{ErrorCode::no_watcher,
                 "watch: there is no watch with id " + (id.none() ? "null" : id.json)};
  }
  table_.remove(*watch);
  return {};
}

// Next: Replies::reply (server/pipeline/replies.cc) answers the write, once
// ClientSender::send_event (server/pipeline/events.cc) has sent each event.
std::vector<wire::SessionId> Watches::fire(wire::Zxid zxid, std::vector<znode::Change> changes,
                                           const EventSink& sink) {
  std::vector<wire::SessionId> lagging;
  std::vector<const SetWatch*> found;
  std::size_t bytes = 0;
  for (const znode::Change& change : changes) {
    if (table_.size() == 0) break;
    found.clear();
    table_.find(change.path, change.kind, found);
    for (const SetWatch* watch : found) {
      Watcher& watcher = watch->watcher();
      if (watcher.is_suspended) continue;
      // Its client may already know later changes than this server had applied.
      const auto from = watch->from();
      const bool is_silent = (from && zxid <= *from) || !may_see(watcher, change);
      bool has_room = false;
      if (is_silent) {
        has_room = count(watcher, zxid, silent_bytes, bytes);
      } else {
        WatchEvent made = event({std::string(watch->id())}, zxid, change);
        if (watch->with_data()) add_data(made, change, watch->encoding());
        has_room =
            count(watcher, zxid, size_of(made), bytes) && sink(watcher.session, std::move(made));
      }
      if (!has_room) {
        lagging.push_back(watcher.session);
        table_.suspend(watcher.session);
      } else if (watch->once() && !is_silent) {
        table_.remove(*watch);
      }
    }
  }
  table_.turns().changed(changes);
  history_.add(zxid, std::move(changes));
  return lagging;
}

// Counts an event of the transaction at `zxid`, whose events have `bytes` in all. Returns false if
// there are too many: any session may use the first half of the limit; the second half is for
// sessions that have less than an equal share of it.
bool Watches::count(Watcher& watcher, wire::Zxid zxid, std::size_t event,
                    std::size_t& bytes) const {
  if (std::exchange(watcher.counted_at, zxid) != zxid) watcher.event_bytes = 0;
  const std::size_t half = event_bytes_max_ / 2;
  if (bytes > half && watcher.event_bytes + event > half / table_.sessions()) return false;
  watcher.event_bytes += event;
  bytes += event;
  return true;
}

bool Watches::is_suspended(wire::SessionId session) const {
  const Watcher* watcher = table_.watcher(session);
  return watcher != nullptr && watcher->is_suspended;
}

std::size_t Watches::resync_bytes(wire::SessionId session) const {
  return table_.text_bytes(session) + table_.size(session) * event_fields_bytes;
}

std::vector<WatchEvent> Watches::resume(wire::SessionId session) {
  std::vector<WatchEvent> events;
  for (const SetWatch* watch : table_.resume(session)) {
    events.push_back(resync_event({std::string(watch->id())}, watch->path(), history_.end()));
    if (watch->once()) table_.remove(*watch);
  }
  return events;
}

void Watches::begin_after(wire::Zxid zxid) {
  table_.clear();
  history_.begin_after(zxid);
}

}  // namespace session
