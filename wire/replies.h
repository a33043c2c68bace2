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
#include "wire/shared_bytes.h"

namespace wire {

// The reply to each kind of request. The fields are those of docs/protocol.md.

struct CreateReply {
  std::string path;  // final: with the sequence number where the node is sequential
  Stat stat;
  std::optional<bool> turn = {};  // set if the request asked for a turn; not kept with the result

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

// On the wire `children` is a list of names, or of objects {name, data, stat} if the request asked
// for details.
struct ChildrenReply {
  std::vector<Child> children;
  bool with_details = false;
  Stat stat;          // of the parent
  bool more = false;  // there are other names behind the last of these

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

// Has only the envelope: of delete, check, unwatch, auth, sync.
struct EmptyReply {
  bool operator==(const EmptyReply&) const = default;
};

// `stat` is null if the node does not exist (yet).
struct WatchReply {
  RequestId watch;
  std::optional<Stat> stat;
  std::optional<bool> turn = {};  // set with WatchScope::turn; a watch is set only if it is false

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

// {"op":"pong","validMs":…}
struct PongReply {
  // For so long after the request was sent, the session will at least be kept; 0: not known.
  std::int64_t valid_ms = 0;

  bool operator==(const PongReply&) const = default;
};

// {"op":"closed"}: the session has ended; then the server closes the connection.
struct ClosedReply {
  bool operator==(const ClosedReply&) const = default;
};

// A write that was sent again was done with this zxid; its reply was too large to be kept.
struct TruncatedReply {
  Zxid written;

  bool operator==(const TruncatedReply&) const = default;
};

using OpReply = std::variant<CreateReply, SetReply, EmptyReply, GetReply, ChildrenReply>;

// The two lists of operations of a multi that has an `else`.
enum class Branch : std::uint8_t { ops, otherwise };
template <>
inline constexpr std::array<std::string_view, 2> names_of<Branch>{"ops", "else"};

// One result for each operation of a multi. On failure nothing was applied: `failed` is the index
// of the first operation that failed, and every operation has an error of its own.
struct MultiReply {
  std::vector<Result<OpReply>> results;
  std::optional<std::size_t> failed;
  std::optional<Branch> branch = {};  // whose results these are; none if the request has one branch

  bool operator==(const MultiReply&) const = default;
};

using ReplyBody = std::variant<EmptyReply, CreateReply, GetReply, ExistsReply, SetReply,
                               ChildrenReply, CountReply, EphemeralsReply, AclReply, WatchReply,
                               WhoamiReply, PongReply, ClosedReply, MultiReply, TruncatedReply>;

// The reply to one request: a frame, or an element of an array. A failed multi is a MultiReply with
// `failed` set, not an Error, because its results are sent too.
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
  std::string password;  // 32 hex digits; sent only to the session's client
  std::int64_t timeout_ms = 0;
  std::uint32_t server = 0;
  Role role = Role::looking;
  Zxid zxid;
  bool resumed = false;
  std::vector<std::string> servers;  // "ws://host:port/v1"
  bool read_only = false;            // the server has no quorum
  RequestId id = {};                 // of the connect
  std::int64_t valid_ms = 0;         // as in PongReply
};

// {"op":"connect","error":…}; then the server closes the connection.
struct ConnectRefused {
  Error error;
  // The last that the server had applied: the expiry, or a later one.
  std::optional<Zxid> zxid = {};
  RequestId id = {};
};

// {"op":"expired"}: the session has ended; then the server closes the connection.
struct Expired {};

// {"op":"goaway"}: connect to another server; then the server closes the connection.
struct GoAway {
  std::string reason;
};

enum class EventKind : std::uint8_t { created, changed, deleted, children, resync, turn };
template <>
inline constexpr std::array<std::string_view, 6> names_of<EventKind>{
    "created", "changed", "deleted", "children", "resync", "turn"};

// The event of a watch for one change. Has `data` and `stat` only if the watch asked for data and
// the node exists after the change.
struct WatchEvent {
  RequestId watch;
  EventKind kind = EventKind::changed;
  std::string path;
  Zxid zxid;
  std::optional<SharedBytes> data;
  std::optional<Stat> stat;
  Encoding encoding = Encoding::text_if_utf8;  // of `data`, as the watch's request asked

  bool operator==(const WatchEvent&) const = default;
};

// Any message of a server to a client.
using ServerMessage =
    std::variant<Reply, WatchEvent, ConnectedReply, ConnectRefused, Expired, GoAway>;

}  // namespace wire
