#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "session/history.h"
#include "wire/records.h"
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

// The kinds of change that a watch is there for.
struct Interest {
  bool created = false;
  bool changed = false;
  bool deleted = false;
  bool children = false;

  [[nodiscard]] bool in(wire::EventKind kind) const;
  bool operator==(const Interest&) const = default;
};

struct Watch {
  std::string path;
  Interest interest;
  enum class Reach : std::uint8_t { node, subtree };
  Reach reach = Reach::node;
  bool once = false;
  bool with_data = false;
  std::optional<wire::Zxid> from;  // events after it are wanted; unset: those after now
  wire::Encoding encoding = wire::Encoding::text_if_utf8;  // of the events' data

  bool operator==(const Watch&) const = default;
};

// The watch that a request leaves behind, if it does: a watch request, or a read with `watch`.
[[nodiscard]] std::optional<Watch> watch_of(const wire::Request& request);

// The watches set on this server, and the recent past for those that begin there. Not replicated.
// A watch is known by its session and the id of the request that set it.
class Watches {
 public:
  struct Bounds {
    std::size_t per_session_max = 10'000;
    History::Bounds history;
  };

  explicit Watches(Bounds bounds);

  // Sets a watch, and returns the events since `watch.from`, oldest first: or a single `resync`
  // where the history does not reach back so far. A watch for one event that gets it here is not
  // set. BadArguments without an id, or where the session has a watch of this id; TooManyWatches.
  wire::Result<std::vector<wire::WatchEvent>> add(wire::SessionId session,
                                                  const wire::RequestId& id, Watch watch,
                                                  const znode::Identities& identities = {});
  // What the session's client has shown to be by now. It is told of nothing that it may not read;
  // a watch for one event waits for one that it may.
  void identify(wire::SessionId session, const znode::Identities& identities);
  // NoWatcher where there is none of this id.
  wire::Result<void> remove(wire::SessionId session, const wire::RequestId& id);
  void remove_session(wire::SessionId session);

  // The events of one transaction: in the order of its changes, and of a change's watches in the
  // order in which they were set. Watches for one event vanish with it.
  std::vector<Delivery> fire(wire::Zxid zxid, std::vector<znode::Change> changes);

  // Before the first transaction: what is restored says nothing of how it came about.
  void begin_after(wire::Zxid zxid) { history_.begin_after(zxid); }

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::size_t size(wire::SessionId session) const;
  [[nodiscard]] const History& history() const { return history_; }

 private:
  struct Armed {
    wire::SessionId session;
    wire::RequestId id;
    Watch watch;
    std::uint64_t serial = 0;  // rises with every watch set
  };
  struct PathHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view path) const {
      return std::hash<std::string_view>{}(path);
    }
  };
  struct SessionHash {
    std::size_t operator()(wire::SessionId id) const {
      return std::hash<std::uint64_t>{}(id.value);
    }
  };
  using BySerial = std::map<std::uint64_t, const Armed*>;
  using ByPath = std::unordered_map<std::string, BySerial, PathHash, std::equal_to<>>;
  struct OfSession {
    znode::Identities identities;
    std::unordered_map<std::string, Armed> armed;  // by the id's JSON
  };

  ByPath& index(Watch::Reach reach) { return reach == Watch::Reach::node ? nodes_ : subtrees_; }
  [[nodiscard]] bool may_know(wire::SessionId session, const znode::Change& change) const;
  void disarm(const Armed& armed);
  void find(const znode::Change& change, BySerial& found) const;

  Bounds bounds_;
  History history_;
  std::unordered_map<wire::SessionId, OfSession, SessionHash> sessions_;
  ByPath nodes_;     // watches of exactly this path
  ByPath subtrees_;  // watches of this path and all below
  std::uint64_t last_serial_ = 0;
  std::size_t size_ = 0;
};

}  // namespace session
