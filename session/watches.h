#pragma once

#include <cstddef>
#include <vector>

#include "session/change_history.h"
#include "session/watch.h"
#include "session/watch_table.h"
#include "wire/replies.h"
#include "wire/requests.h"
#include "wire/result.h"
#include "znode/changes.h"

namespace session {

// What one session has to be told.
struct Delivery {
  wire::SessionId session;
  wire::WatchEvent event;

  bool operator==(const Delivery&) const = default;
};

// The watches set on this server, and the recent past for those that begin there. Not replicated.
// A watch is known by its session and the id of the request that set it.
class Watches {
 public:
  struct Bounds {
    std::size_t per_session_max = 10'000;  // they may average text_bytes_each
    ChangeHistory::Bounds history;
  };
  // Of path and id.
  static constexpr std::size_t text_bytes_each = 1024;

  explicit Watches(Bounds bounds);

  // Sets a watch, and returns the events since `watch.from`, oldest first: or a single `resync`
  // where the history does not reach back so far. A watch for one event that gets it here is not
  // set. BadArguments without an id, or where the session has a watch of this id; TooManyWatches.
  wire::Result<std::vector<wire::WatchEvent>> add(wire::SessionId session,
                                                  const wire::RequestId& id, const Watch& watch,
                                                  const znode::Identities& identities = {});
  // What the session's client has shown to be by now. It is told of nothing that it may not read;
  // a watch for one event waits for one that it may.
  void identify(wire::SessionId session, const znode::Identities& identities) {
    table_.identify(session, identities);
  }
  // NoWatcher where there is none of this id.
  wire::Result<void> remove(wire::SessionId session, const wire::RequestId& id);
  void remove_session(wire::SessionId session) { table_.remove_session(session); }

  // The events of one transaction: in the order of its changes, and of a change's watches in the
  // order in which they were set. Watches for one event vanish with it.
  std::vector<Delivery> fire(wire::Zxid zxid, std::vector<znode::Change> changes);

  // What is there now is as of `zxid`, and nothing says how it came about; no watch is set.
  void begin_after(wire::Zxid zxid);

  [[nodiscard]] std::size_t size() const { return table_.size(); }
  [[nodiscard]] std::size_t size(wire::SessionId session) const { return table_.size(session); }
  [[nodiscard]] const ChangeHistory& history() const { return history_; }

 private:
  [[nodiscard]] wire::Result<void> check_room(wire::SessionId session, const wire::RequestId& id,
                                              const Watch& watch) const;

  Bounds bounds_;
  ChangeHistory history_;
  WatchTable table_;
};

}  // namespace session
