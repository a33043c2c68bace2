#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "wire/records.h"

namespace wire {

// A request's id as the client wrote it, kept as JSON text (`7`, `"a"`): replies only repeat it.
// Empty if the request has none.
struct RequestId {
  std::string json;

  [[nodiscard]] bool none() const { return json.empty(); }
  bool operator==(const RequestId&) const = default;
};

// How fresh a read must be.
struct SessionConsistency {  // not older than what the session saw before
  bool operator==(const SessionConsistency&) const = default;
};
struct Linearizable {  // sees every write acknowledged before the read began
  bool operator==(const Linearizable&) const = default;
};
struct AtLeast {  // sees everything up to `zxid`
  Zxid zxid;
  bool operator==(const AtLeast&) const = default;
};
using Consistency = std::variant<SessionConsistency, Linearizable, AtLeast>;

// The names of an enum's values on the wire, in order.
template <class Enum>
inline constexpr std::array<std::string_view, 0> names_of{};

template <class Enum>
requires(!names_of<Enum>.empty()) [[nodiscard]] constexpr std::string_view name(Enum value) {
  return names_of<Enum>[static_cast<std::size_t>(value)];
}

// How a reply has data.
enum class Encoding : std::uint8_t { text_if_utf8, base64 };
template <>
inline constexpr std::array<std::string_view, 2> names_of<Encoding>{"text", "base64"};

enum class WatchScope : std::uint8_t { node, children, subtree, turn };
template <>
inline constexpr std::array<std::string_view, 4> names_of<WatchScope>{"node", "children", "subtree",
                                                                      "turn"};

// Of a list of children: by their names, or by the numbers in them (znode/sibling.h).
enum class ChildOrder : std::uint8_t { name, sequence };
template <>
inline constexpr std::array<std::string_view, 2> names_of<ChildOrder>{"name", "sequence"};

// When it is a node's turn among its siblings: see znode/sibling.h.
struct TurnOptions {
  std::int32_t limit = 1;          // fewer siblings than this are before the node
  std::vector<std::string> among;  // the kinds of siblings that count; empty: all

  bool operator==(const TurnOptions&) const = default;
};
inline constexpr std::int32_t turn_limit_max = 1'000'000;
inline constexpr std::size_t turn_kinds_max = 16;
inline constexpr std::size_t turn_kind_bytes_max = 128;

// Options of every read.
struct ReadOptions {
  Consistency consistency;
  bool watch = false;  // set a one-shot watch, atomically with the read

  bool operator==(const ReadOptions&) const = default;
};

// The replies: see replies.h.
struct AclReply;
struct ChildrenReply;
struct ClosedReply;
struct CountReply;
struct CreateReply;
struct EmptyReply;
struct EphemeralsReply;
struct ExistsReply;
struct GetReply;
struct MultiReply;
struct PongReply;
struct SetReply;
struct WatchReply;
struct WhoamiReply;

struct CreateRequest {
  using Reply = CreateReply;

  std::string path;
  Bytes data;
  bool ephemeral = false;
  bool sequential = false;
  bool container = false;
  bool parents = false;  // create missing parents in the same transaction
  std::optional<std::int64_t> ttl_ms;
  std::optional<Acl> acl;  // absent: open
  // Tell when it is the turn of the new node. Not a part of the command for the leader.
  std::optional<TurnOptions> turn = {};

  bool operator==(const CreateRequest&) const = default;
};

struct GetRequest {
  using Reply = GetReply;

  std::string path;
  ReadOptions read;

  bool operator==(const GetRequest&) const = default;
};

struct ExistsRequest {
  using Reply = ExistsReply;

  std::string path;
  ReadOptions read;

  bool operator==(const ExistsRequest&) const = default;
};

struct SetRequest {
  using Reply = SetReply;

  std::string path;
  Bytes data;
  std::int32_t version = any_version;
  bool create = false;  // create the node where it is missing

  bool operator==(const SetRequest&) const = default;
};

struct DeleteRequest {
  using Reply = EmptyReply;

  std::string path;
  std::int32_t version = any_version;
  bool recursive = false;

  bool operator==(const DeleteRequest&) const = default;
};

struct ChildrenRequest {
  using Reply = ChildrenReply;

  std::string path;
  bool with_stat = false;
  bool with_data = false;
  std::optional<std::string> after;    // only names after this one, in the order of the list
  std::optional<std::uint32_t> limit;  // of the children returned
  ReadOptions read;
  std::optional<std::string> before = {};  // only names before this one
  bool reverse = false;                    // the last name first
  // With `sequence`, only children with numbers; `after` and `before` must have numbers too.
  ChildOrder order = ChildOrder::name;

  bool operator==(const ChildrenRequest&) const = default;
};

struct CountRequest {
  using Reply = CountReply;

  std::string path;
  ReadOptions read;

  bool operator==(const CountRequest&) const = default;
};

struct EphemeralsRequest {
  using Reply = EphemeralsReply;

  std::string prefix = "/";

  bool operator==(const EphemeralsRequest&) const = default;
};

struct GetAclRequest {
  using Reply = AclReply;

  std::string path;

  bool operator==(const GetAclRequest&) const = default;
};

struct SetAclRequest {
  using Reply = AclReply;

  std::string path;
  Acl acl;
  std::int32_t version = any_version;  // of the ACL

  bool operator==(const SetAclRequest&) const = default;
};

// Tests of one node besides its version. A missing node fails all of them but `exists: false`.
struct NodeTests {
  std::optional<bool> exists;
  std::optional<Zxid> czxid;
  std::optional<Zxid> mzxid;
  std::optional<SessionId> ephemeral_owner;
  std::optional<Bytes> data;

  [[nodiscard]] bool none() const { return *this == NodeTests(); }
  bool operator==(const NodeTests&) const = default;
};

// Only in a multi: fails unless the node exists and has this version, and the tests hold.
struct CheckRequest {
  using Reply = EmptyReply;

  std::string path;
  std::int32_t version = any_version;
  NodeTests tests = {};

  bool operator==(const CheckRequest&) const = default;
};

// A condition of a whole write: the tests of this node must hold. At least one test is there.
struct Condition {
  std::string path;
  std::optional<std::int32_t> version;  // any_version: the node exists
  NodeTests tests;

  bool operator==(const Condition&) const = default;
};

inline constexpr std::size_t conditions_max = 100;

using MultiOp = std::variant<CreateRequest, SetRequest, DeleteRequest, CheckRequest, GetRequest,
                             ChildrenRequest>;

struct MultiRequest {
  using Reply = MultiReply;

  std::vector<MultiOp> ops;
  // Happens instead if a condition of the request does not hold.
  std::optional<std::vector<MultiOp>> otherwise = {};

  bool operator==(const MultiRequest&) const = default;
};

// The number of operations of both branches.
[[nodiscard]] inline std::size_t operations_of(const MultiRequest& multi) {
  return multi.ops.size() + (multi.otherwise ? multi.otherwise->size() : 0);
}

struct SyncRequest {
  using Reply = EmptyReply;

  std::string path;

  bool operator==(const SyncRequest&) const = default;
};

struct WatchRequest {
  using Reply = WatchReply;

  std::string path;
  WatchScope scope = WatchScope::node;
  bool once = false;
  bool with_data = false;
  std::optional<Zxid> from;  // first replay the events after this
  TurnOptions turn = {};     // with WatchScope::turn

  bool operator==(const WatchRequest&) const = default;
};

struct UnwatchRequest {
  using Reply = EmptyReply;

  RequestId watch;

  bool operator==(const UnwatchRequest&) const = default;
};

struct AuthRequest {
  using Reply = EmptyReply;

  std::string scheme;
  std::string token;

  bool operator==(const AuthRequest&) const = default;
};

struct WhoamiRequest {
  using Reply = WhoamiReply;
  bool operator==(const WhoamiRequest&) const = default;
};

struct PingRequest {
  using Reply = PongReply;
  bool operator==(const PingRequest&) const = default;
};

// Ends the session.
struct CloseRequest {
  using Reply = ClosedReply;
  bool operator==(const CloseRequest&) const = default;
};

// The first frame of a connection: opens a session, or resumes `session`.
struct ConnectRequest {
  std::optional<std::int64_t> timeout_ms;
  std::optional<SessionId> session;
  std::string password;  // 32 hex digits
  std::optional<Zxid> last_zxid;
  std::vector<AuthRequest> auth;
  bool read_only = false;
  bool dedup = false;
  bool batch = false;

  bool operator==(const ConnectRequest&) const = default;
};

using Request = std::variant<CreateRequest, GetRequest, ExistsRequest, SetRequest, DeleteRequest,
                             ChildrenRequest, CountRequest, EphemeralsRequest, GetAclRequest,
                             SetAclRequest, MultiRequest, SyncRequest, WatchRequest, UnwatchRequest,
                             AuthRequest, WhoamiRequest, PingRequest, CloseRequest, ConnectRequest>;

// A request with its envelope: the client's id for it, the encoding of the reply, and the
// conditions, which must all hold, or a write does nothing.
struct ClientRequest {
  RequestId id;
  Encoding encoding = Encoding::text_if_utf8;
  Request request;
  std::vector<Condition> conditions = {};

  bool operator==(const ClientRequest&) const = default;
};

}  // namespace wire
