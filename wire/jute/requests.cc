#include "wire/jute/requests.h"

#include <algorithm>
#include <utility>

#include "wire/error.h"
#include "wire/jute/bytes.h"
#include "wire/utf8.h"

namespace wire::jute {
namespace {

constexpr std::int32_t bad_arguments = static_cast<int>(ErrorCode::bad_arguments);
constexpr std::int32_t malformed = static_cast<int>(ErrorCode::marshalling_error);
constexpr std::int32_t unimplemented = static_cast<int>(ErrorCode::unimplemented);

// ZooKeeper stores any number as permissions. We accept only the five permissions that exist.
constexpr std::int32_t all_rights = 31;
constexpr std::int64_t ttl_max_ms = (std::int64_t{1} << 40) - 1;

// The size of every valid password.
constexpr std::size_t password_bytes = 16;

Answer refused(std::int32_t error) { return {error}; }
Answer closed(std::int32_t error) { return {error, Answer::Then::closes}; }

// In the form of ConnectRequest::password, which is hexadecimal.
std::string password_of(std::string_view bytes) {
  Reader in(bytes);
  std::string password = to_hex(static_cast<std::uint64_t>(in.int64()));
  return password + to_hex(static_cast<std::uint64_t>(in.int64()));
}

// A path that is not UTF-8 becomes an empty path, which is refused later.
std::string path_of(std::string_view text) { return std::string(is_utf8(text) ? text : ""); }

// A request whose path is null is malformed.
std::optional<std::string> path_from(Reader& in) {
  const auto text = in.text();
  if (!text || in.failed()) return std::nullopt;
  return path_of(*text);
}

// A null list becomes an empty one. An entry with unknown permissions gets an empty scheme. Both
// are refused later.
Acl acl_from(Reader& in) {
  Acl acl;
  const std::size_t count = in.count(12).value_or(0);
  for (std::size_t i = 0; i < count && !in.failed(); ++i) {
    const std::int32_t perms = in.int32();
    AclEntry entry;
    entry.scheme = in.text().value_or("");
    entry.id = in.text().value_or("");
    const bool exist = perms >= 0 && perms <= all_rights;
    entry.perms = exist ? static_cast<std::uint8_t>(perms) : 0;
    if (!exist) entry.scheme = "";
    acl.push_back(std::move(entry));
  }
  return acl;
}

// Sets the kind of node that the flags of a create name. Returns false if the flags or the TTL are
// not valid.
bool set_kind(Opcode opcode, std::int32_t flags, std::int64_t ttl_ms, CreateRequest& request) {
  switch (opcode) {
    case Opcode::create_container: request.container = true; return true;
    case Opcode::create_ttl:
      request.ttl_ms = ttl_ms;
      request.sequential = flags == 6;
      return (flags == 5 || flags == 6) && ttl_ms >= 1 && ttl_ms <= ttl_max_ms;
    default:
      request.ephemeral = flags == 1 || flags == 3;
      request.sequential = flags == 2 || flags == 3;
      return flags >= 0 && flags <= 4;
  }
}

struct Created {
  CreateRequest request;
  bool is_kind = true;  // the flags and the TTL are valid
};

std::optional<Created> create_from(Reader& in, Opcode opcode) {
  Created created;
  auto path = path_from(in);
  const auto data = in.text();
  created.request.data = data.value_or("");
  created.request.acl = acl_from(in);
  const std::int32_t flags = in.int32();
  const std::int64_t ttl_ms = opcode == Opcode::create_ttl ? in.int64() : 0;
  if (!path || in.failed()) return std::nullopt;
  created.request.path = std::move(*path);
  created.is_kind = set_kind(opcode, flags, ttl_ms, created.request);
  return created;
}

std::optional<DeleteRequest> delete_from(Reader& in) {
  auto path = path_from(in);
  const std::int32_t version = in.int32();
  if (!path || in.failed()) return std::nullopt;
  return DeleteRequest{*std::move(path), version, false};
}

std::optional<SetRequest> set_from(Reader& in) {
  auto path = path_from(in);
  const auto data = in.text();
  const std::int32_t version = in.int32();
  if (!path || in.failed()) return std::nullopt;
  return SetRequest{*std::move(path), Bytes(data.value_or("")), version, false};
}

std::optional<CheckRequest> check_from(Reader& in) {
  auto path = path_from(in);
  const std::int32_t version = in.int32();
  if (!path || in.failed()) return std::nullopt;
  return CheckRequest{*std::move(path), version};
}

template <typename Made>
Body ask_or_malformed(std::optional<Made>&& made) {
  if (!made) return refused(malformed);
  return Ask{*std::move(made)};
}

// A read of a path, with a flag that sets a watch.
template <typename Read>
Body read_from(Reader& in) {
  Read read;
  auto path = path_from(in);
  read.read.watch = in.boolean();
  if (!path || in.failed()) return refused(malformed);
  read.path = *std::move(path);
  return Ask{std::move(read)};
}

template <typename Named>
Body path_alone(Reader& in) {
  auto path = path_from(in);
  if (!path) return refused(malformed);
  Named request;
  request.path = *std::move(path);
  return Ask{std::move(request)};
}

Body create_body(Reader& in, Opcode opcode) {
  auto created = create_from(in, opcode);
  if (!created) return refused(malformed);
  if (!created->is_kind) return refused(bad_arguments);
  return Ask{std::move(created->request)};
}

Body set_acl_body(Reader& in) {
  SetAclRequest request;
  auto path = path_from(in);
  request.acl = acl_from(in);
  request.version = in.int32();
  if (!path || in.failed()) return refused(malformed);
  request.path = *std::move(path);
  return Ask{std::move(request)};
}

// The path is not checked. The reply only repeats it.
Body sync_body(Reader& in) {
  const auto path = in.text();
  if (in.failed()) return refused(malformed);
  Ask ask{SyncRequest{"/"}};
  if (path) ask.text = std::string(*path);
  return ask;
}

// --- Multi ---

struct OpHeader {
  std::int32_t type = 0;
  bool is_end = false;
};

OpHeader op_header_from(Reader& in) {
  OpHeader header;
  header.type = in.int32();
  header.is_end = in.boolean();
  in.int32();
  header.is_end = header.is_end || header.type == -1;
  return header;
}

// A create with invalid flags gets an empty path. So the multi fails at this operation.
std::optional<MultiOp> create_op_from(Reader& in, Opcode opcode) {
  auto created = create_from(in, opcode);
  if (!created) return std::nullopt;
  if (!created->is_kind) created->request.path.clear();
  return std::move(created->request);
}

std::optional<MultiOp> op_from(Reader& in, Opcode opcode) {
  switch (opcode) {
    case Opcode::create:
    case Opcode::create2:
    case Opcode::create_container:
    case Opcode::create_ttl: return create_op_from(in, opcode);
    case Opcode::remove: return delete_from(in);
    case Opcode::set_data: return set_from(in);
    case Opcode::check: return check_from(in);
    default: return std::nullopt;
  }
}

Body multi_body(Reader& in) {
  Multi multi;
  for (;;) {
    const OpHeader header = op_header_from(in);
    if (in.failed()) return refused(malformed);
    if (header.is_end) return multi;
    auto op = op_from(in, Opcode{header.type});
    if (!op) return refused(malformed);
    multi.request.ops.push_back(*std::move(op));
    multi.types.push_back(Opcode{header.type});
  }
}

Body multi_read_body(Reader& in) {
  MultiRead multi;
  for (;;) {
    const OpHeader header = op_header_from(in);
    if (in.failed()) return refused(malformed);
    if (header.is_end) return multi;
    auto path = path_from(in);
    in.boolean();  // a watch flag has no effect here
    if (!path || in.failed()) return refused(malformed);
    if (Opcode{header.type} == Opcode::get_data) {
      multi.reads.emplace_back(GetRequest{*std::move(path), {}});
    } else if (Opcode{header.type} == Opcode::get_children) {
      ChildrenRequest children;
      children.path = *std::move(path);
      multi.reads.emplace_back(std::move(children));
    } else {
      return refused(malformed);
    }
  }
}

// --- Watches ---

Body add_watch_body(Reader& in) {
  auto path = path_from(in);
  const std::int32_t mode = in.int32();
  if (!path || in.failed() || mode < 0 || mode > 1) return refused(malformed);
  return AddWatch{*std::move(path), mode == 1};
}

Body change_watches_body(Reader& in) {
  auto path = path_from(in);
  const std::int32_t type = in.int32();
  if (!path || in.failed() || type < 1 || type > 5) return refused(malformed);
  return ChangeWatches{*std::move(path), type};
}

bool paths_from(Reader& in, std::vector<std::string>& paths) {
  const auto count = in.count(4);
  if (!count) return false;
  for (std::size_t i = 0; i < *count && !in.failed(); ++i) {
    paths.push_back(path_of(in.text().value_or("")));
  }
  return !in.failed();
}

Body set_watches_body(Reader& in, bool has_persistent) {
  SetWatches watches;
  watches.since = in.int64();
  const bool is_complete = paths_from(in, watches.data) && paths_from(in, watches.exist) &&
                           paths_from(in, watches.child) &&
                           (!has_persistent || (paths_from(in, watches.persistent) &&
                                                paths_from(in, watches.recursive)));
  if (!is_complete) return refused(malformed);
  return watches;
}

// --- Identities ---

Body auth_body(Reader& in) {
  in.int32();
  const auto scheme = in.text();
  const auto token = in.text();
  if (in.failed() || !scheme) return Answer{0, Answer::Then::closes_silently};
  return Ask{AuthRequest{std::string(*scheme), std::string(token.value_or(""))}};
}

// There is no SASL. As ZooKeeper without SASL, we reply with a null token and no error. The client
// keeps its identities.
Body sasl_body() {
  Answer answer;
  Writer(answer.body).null();
  return answer;
}

Body ephemerals_body(Reader& in) {
  const auto prefix = in.text();
  if (in.failed()) return refused(malformed);
  return Ask{EphemeralsRequest{}, std::string(prefix.value_or(""))};
}

Body body_from(Reader& in, std::int32_t type) {
  switch (Opcode{type}) {
    case Opcode::create:
    case Opcode::create2:
    case Opcode::create_container:
    case Opcode::create_ttl: return create_body(in, Opcode{type});
    case Opcode::remove: return ask_or_malformed(delete_from(in));
    case Opcode::exists: return read_from<ExistsRequest>(in);
    case Opcode::get_data: return read_from<GetRequest>(in);
    case Opcode::set_data: return ask_or_malformed(set_from(in));
    case Opcode::get_acl: return path_alone<GetAclRequest>(in);
    case Opcode::set_acl: return set_acl_body(in);
    case Opcode::get_children:
    case Opcode::get_children2: return read_from<ChildrenRequest>(in);
    case Opcode::sync: return sync_body(in);
    case Opcode::ping: return Ask{PingRequest{}};
    case Opcode::multi: return multi_body(in);
    case Opcode::multi_read: return multi_read_body(in);
    case Opcode::reconfig: return refused(static_cast<int>(ErrorCode::reconfig_disabled));
    case Opcode::check_watches:
    case Opcode::remove_watches: return change_watches_body(in);
    case Opcode::auth: return auth_body(in);
    case Opcode::set_watches: return set_watches_body(in, false);
    case Opcode::set_watches2: return set_watches_body(in, true);
    case Opcode::sasl: return sasl_body();
    case Opcode::get_ephemerals: return ephemerals_body(in);
    case Opcode::get_all_children_number: return path_alone<CountRequest>(in);
    case Opcode::add_watch: return add_watch_body(in);
    case Opcode::who_am_i: return Ask{WhoamiRequest{}};
    case Opcode::close_session: return Ask{CloseRequest{}};
    case Opcode::check: break;
  }
  return closed(unimplemented);
}

}  // namespace

std::optional<Connect> parse_connect(std::string_view frame) {
  Reader in(frame);
  Connect connect;
  in.int32();  // the version of the protocol: any is accepted
  const std::int64_t last_zxid = in.int64();
  const std::int32_t timeout_ms = in.int32();
  const std::int64_t session = in.int64();
  const std::string_view password = in.text().value_or("");
  if (in.failed()) return std::nullopt;
  connect.has_read_only = in.remaining() > 0;
  connect.request.read_only = connect.has_read_only && in.boolean();
  connect.request.timeout_ms = std::max(timeout_ms, 0);
  if (last_zxid > 0) {
    connect.request.last_zxid = Zxid::from_bits(static_cast<std::uint64_t>(last_zxid));
  }
  if (session != 0) {
    connect.request.session = SessionId{static_cast<std::uint64_t>(session)};
    // A password of another length is wrong, and stays empty.
    if (password.size() == password_bytes) connect.request.password = password_of(password);
  }
  return connect;
}

std::optional<ParsedRequest> parse_request(std::string_view frame) {
  Reader in(frame);
  const Header header{in.int32(), in.int32()};
  if (in.failed()) return std::nullopt;
  return ParsedRequest{header, body_from(in, header.type)};
}

}  // namespace wire::jute
