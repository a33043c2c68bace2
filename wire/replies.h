#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "wire/error.h"
#include "wire/records.h"
#include "wire/requests.h"
#include "wire/result.h"

namespace wire {

// What a request of each kind is answered with; the fields are those of docs/protocol.md.

struct CreateReply {
  std::string path;  // final: with the sequence number where the node is sequential
  Stat stat;

  bool operator==(const CreateReply&) const = default;
};

struct GetReply {
  Bytes data;
  Stat stat;

  bool operator==(const GetReply&) const = default;
};

struct ExistsReply {
  std::optional<Stat> stat;

  bool operator==(const ExistsReply&) const = default;
};

struct SetReply {
  Stat stat;

  bool operator==(const SetReply&) const = default;
};

struct Child {
  std::string name;
  std::optional<Stat> stat;   // if asked for
  std::optional<Bytes> data;  // if asked for

  bool operator==(const Child&) const = default;
};

// In JSON `children` is a list of names, or of objects {name, stat, data} where either was asked
// for.
struct ChildrenReply {
  std::vector<Child> children;
  bool with_details = false;
  Stat stat;          // of the parent
  bool more = false;  // there are names after the last of these

  bool operator==(const ChildrenReply&) const = default;
};

struct CountReply {
  std::uint64_t count = 0;

  bool operator==(const CountReply&) const = default;
};

struct EphemeralsReply {
  std::vector<std::string> paths;

  bool operator==(const EphemeralsReply&) const = default;
};

struct AclReply {
  Acl acl;
  Stat stat;

  bool operator==(const AclReply&) const = default;
};

// Nothing but the envelope: delete, check, unwatch, auth, sync.
struct EmptyReply {
  bool operator==(const EmptyReply&) const = default;
};

// `stat` null where the node does not exist (yet).
struct WatchReply {
  RequestId watch;
  std::optional<Stat> stat;

  bool operator==(const WatchReply&) const = default;
};

struct Identity {
  std::string scheme;
  std::string id;

  bool operator==(const Identity&) const = default;
};

struct WhoamiReply {
  std::vector<Identity> identities;

  bool operator==(const WhoamiReply&) const = default;
};

// {"op":"pong"}
struct PongReply {
  bool operator==(const PongReply&) const = default;
};

// {"op":"closed"}: the session is gone, the connection closes.
struct ClosedReply {
  bool operator==(const ClosedReply&) const = default;
};

using OpReply = std::variant<CreateReply, SetReply, EmptyReply, GetReply, ChildrenReply>;

// One result for each operation of a multi. On failure nothing was applied: `failed` is the place
// of the first operation that could not be, and every result says its own error.
struct MultiReply {
  std::vector<Result<OpReply>> results;
  std::optional<std::size_t> failed;

  bool operator==(const MultiReply&) const = default;
};

using ReplyBody = std::variant<EmptyReply, CreateReply, GetReply, ExistsReply, SetReply,
                               ChildrenReply, CountReply, EphemeralsReply, AclReply, WatchReply,
                               WhoamiReply, PongReply, ClosedReply, MultiReply>;

// One frame (or array element) in answer to one request. A failed multi is a MultiReply with
// `failed` set, not an Error, for its results are said too.
struct Reply {
  RequestId id;
  Zxid zxid;  // the last transaction the replying server had applied
  Encoding encoding = Encoding::text_if_utf8;
  Result<ReplyBody> body;
};

enum class Role : std::uint8_t { looking, follower, observer, leader, standalone };
template <>
inline constexpr std::array<std::string_view, 5> names_of<Role>{"looking", "follower", "observer",
                                                                "leader", "standalone"};

struct ConnectedReply {
  SessionId session;
  std::string password;  // 32 hex digits; goes to its client and nowhere else
  std::int64_t timeout_ms = 0;
  std::uint32_t server = 0;
  Role role = Role::looking;
  Zxid zxid;
  bool resumed = false;
  std::vector<std::string> servers;  // "ws://host:port/v1"
  bool read_only = false;            // by a server without a quorum
  RequestId id = {};                 // of the connect
};

// {"op":"connect","error":…}, and then a close.
struct ConnectRefused {
  Error error;
  std::optional<Zxid> zxid = {};  // the last that the server had applied: of an expiry, or after it
  RequestId id = {};
};

// {"op":"expired"}: the session is gone; a close follows.
struct Expired {};

// {"op":"goaway"}: connect elsewhere; a close follows.
struct GoAway {
  std::string reason;
};

enum class EventKind : std::uint8_t { created, changed, deleted, children, resync };
template <>
inline constexpr std::array<std::string_view, 5> names_of<EventKind>{
    "created", "changed", "deleted", "children", "resync"};

// What a watch tells its client about one change. `data` and `stat` only where the watch asked for
// data and the change left a node behind.
struct WatchEvent {
  RequestId watch;
  EventKind kind = EventKind::changed;
  std::string path;
  Zxid zxid;
  std::optional<Bytes> data;
  std::optional<Stat> stat;
  Encoding encoding = Encoding::text_if_utf8;  // of `data`: as the watch's request wanted it

  bool operator==(const WatchEvent&) const = default;
};

// Everything a server can say to a client.
using ServerMessage =
    std::variant<Reply, WatchEvent, ConnectedReply, ConnectRefused, Expired, GoAway>;

}  // namespace wire
