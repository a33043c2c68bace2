#pragma once

#include <cstddef>
#include <functional>
#include <string_view>
#include <vector>

#include "session/change_history.h"
#include "session/watch.h"
#include "session/watch_budget.h"
#include "session/watch_table.h"
#include "wire/replies.h"
#include "wire/requests.h"
#include "wire/result.h"
#include "znode/changes.h"
#include "znode/hash_key.h"
#include "znode/tree.h"

namespace session {

// An event that is to be sent to a session.
struct Delivery {
  wire::SessionId session;
  wire::WatchEvent event;

  bool operator==(const Delivery&) const = default;
};

// Tells the client of a watch that changes up to `zxid` may be missing.
[[nodiscard]] wire::WatchEvent resync_event(const wire::RequestId& id, std::string_view path,
                                            wire::Zxid zxid);

// Sends an event to a session, or returns false if the session's connection has no room for it.
// Must not change watches.
using EventSink = std::function<bool(wire::SessionId, wire::WatchEvent&&)>;

// The watches on this server, and the recent changes for watches that begin in the past. Not
// replicated. A watch is identified by its session and the id of the request that set it.
class Watches {
 public:
  struct Options {
    std::size_t per_session_max = 10'000;  // with text_bytes_each on average
    ChangeHistory::Bounds history;
    znode::HashKey hash_key;        // of this server's tables whose keys clients choose
    WatchBudget* budget = nullptr;  // outlives the watches; null: there is none
    // The size of the events of one transaction, and of the events since a watch's `from`.
    std::size_t event_bytes_max = std::size_t{32} << 20;
    std::size_t missed_bytes_max = std::size_t{8} << 20;
  };
  // So many watches may be set of one path, and as many of a path and all below it: each change
  // looks at all of them.
  static constexpr std::size_t path_watches_max = 262'144;
  // The size of path and id.
  static constexpr std::size_t text_bytes_each = 1024;

  explicit Watches(const Options& options);

  // Sets a watch, and returns the events since `watch.from`, oldest first. If the history does not
  // reach back so far, or if they are too many, returns a single `resync`. A watch for one event
  // that already has it is not set. Returns BadArguments without an id or if the session has a
  // watch with this id, and TooManyWatches beyond the bounds and the budget.
  wire::Result<std::vector<wire::WatchEvent>> add(wire::SessionId session,
                                                  const wire::RequestId& id, const Watch& watch,
                                                  const znode::Identities& identities = {});
  // Reserves a watch for a create that asks for a turn, so that there is room for it once the node
  // is there. The errors are those of `add`.
  wire::Result<void> reserve(wire::SessionId session, const wire::RequestId& id,
                             std::string_view path, const wire::TurnOptions& options,
                             const znode::Identities& identities, const znode::Tree& tree);
  // The create is answered: its watch is not reserved any more. Returns whether it was.
  bool release(wire::SessionId session, const wire::RequestId& id);
  // Whether it is the turn of the node at `path`, which exists and has a number. If not, or if that
  // is not known yet, sets a watch that ends with the event `turn`, or `deleted`. It replaces one
  // with the same id. Precondition: there is room for it, see `reserve` and `check_turn`.
  bool ask_turn(wire::SessionId session, const wire::RequestId& id, const std::string& path,
                const wire::TurnOptions& options, const znode::Identities& identities,
                const znode::Tree& tree);
  // Whether there is room to watch for that turn. The errors are those of `add`; a watch with this
  // id is none if `replaces`.
  [[nodiscard]] wire::Result<void> check_turn(wire::SessionId session, const wire::RequestId& id,
                                              const std::string& path,
                                              const wire::TurnOptions& options,
                                              const znode::Tree& tree, bool replaces);
  // Sends the event of each watch whose turn has come, and `resync` to those that have no room in
  // the index any more. Call it after each `fire`, and sooner or
  // later while `is_indexing_turns`. Returns the sessions that lag from now on.
  std::vector<wire::SessionId> tell_turns(const znode::Tree& tree, const EventSink& sink);
  // Continues to index large folders for turns. `tell_turns` must follow.
  void index_turns(const znode::Tree& tree) { table_.turns().index_more(tree); }
  [[nodiscard]] bool is_indexing_turns() const { return table_.turns().is_indexing(); }
  // So many children were looked at for indexes.
  [[nodiscard]] std::uint64_t indexed_children() const { return table_.turns().looked_at(); }
  // The children of a node by their numbers: see Turns. Their index has a part in `index_turns`.
  [[nodiscard]] wire::Result<Turns::Siblings> siblings(const znode::Tree& tree,
                                                       std::string_view path) {
    return table_.turns().siblings(tree, path);
  }
  // A client was refused because there was no room for the index.
  void count_refused_index() const { table_.turns().count_refused(); }
  // One heartbeat interval has passed: a watch whose client could not read its node is told its
  // turn if the client can now. `tell_turns` must follow.
  void tick_turns(const znode::Tree& tree);

  // Replaces the identities of the session's client. Its watches report only changes of nodes that
  // it may read. A watch for one event waits for such a change.
  void identify(wire::SessionId session, const znode::Identities& identities) {
    table_.identify(session, identities);
  }
  // Returns NoWatcher if the session has no watch with this id.
  wire::Result<void> remove(wire::SessionId session, const wire::RequestId& id);
  void remove_session(wire::SessionId session) { table_.remove_session(session); }

  // Sends the events of one transaction to `sink`, and adds its changes to the history. Events are
  // in the order of the changes, and for one change in the order in which the watches were set.
  // Watches for one event are removed after it.
  //
  // Returns the sessions that lag from now on: those for which `sink` has no room, and those with
  // more than their part of very many events. Their watches are suspended: they report nothing
  // until `resume`.
  std::vector<wire::SessionId> fire(wire::Zxid zxid, std::vector<znode::Change> changes,
                                    const EventSink& sink);
  [[nodiscard]] bool is_suspended(wire::SessionId session) const;
  // The size of what `resume` returns.
  [[nodiscard]] std::size_t resync_bytes(wire::SessionId session) const;
  // Returns a `resync` for each watch of a session that lags, in the order in which they were set.
  // Its watches report the changes after that. Watches for one event are removed.
  std::vector<wire::WatchEvent> resume(wire::SessionId session);

  // Removes all watches and clears the history. The next transaction comes after `zxid`.
  void begin_after(wire::Zxid zxid);

  [[nodiscard]] std::size_t size() const { return table_.size(); }
  [[nodiscard]] std::size_t size(wire::SessionId session) const { return table_.size(session); }
  // The paths that are watched: see WatchTable.
  [[nodiscard]] std::size_t paths() const { return table_.paths(); }
  [[nodiscard]] WatchPage page(std::size_t position, std::size_t max) const {
    return table_.page(position, max);
  }
  [[nodiscard]] const ChangeHistory& history() const { return history_; }

 private:
  [[nodiscard]] wire::Result<void> check_limits(wire::SessionId session, const wire::RequestId& id,
                                                const Watch& watch, bool replaces = false) const;

  [[nodiscard]] bool count(Watcher& watcher, wire::Zxid zxid, std::size_t event,
                           std::size_t& bytes) const;

  std::size_t per_session_max_;
  std::size_t event_bytes_max_;
  std::size_t missed_bytes_max_;
  WatchBudget* budget_;
  ChangeHistory history_;
  WatchTable table_;
};

}  // namespace session
