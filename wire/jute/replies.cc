#include "wire/jute/replies.h"

#include <algorithm>
#include <limits>
#include <variant>

#include "wire/jute/bytes.h"

namespace wire::jute {
namespace {

constexpr std::int32_t multi_error = -1;  // the type of a result that is an error
constexpr std::int32_t state_connected = 3;
constexpr std::string_view no_password("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);

std::int64_t number(Zxid zxid) { return static_cast<std::int64_t>(zxid.bits()); }

void write_stat(const Stat& stat, Writer& out) {
  out.int64(number(stat.czxid));
  out.int64(number(stat.mzxid));
  out.int64(stat.ctime);
  out.int64(stat.mtime);
  out.int32(stat.version);
  out.int32(stat.cversion);
  out.int32(stat.aversion);
  out.int64(static_cast<std::int64_t>(stat.ephemeral_owner.value));
  out.int32(stat.data_length);
  out.int32(stat.num_children);
  out.int64(number(stat.pzxid));
}

void write_acl(const Acl& acl, Writer& out) {
  out.int32(static_cast<std::int32_t>(acl.size()));
  for (const AclEntry& entry : acl) {
    out.int32(entry.perms);
    out.text(entry.scheme);
    out.text(entry.id);
  }
}

void write_names(const std::vector<Child>& children, Writer& out) {
  out.int32(static_cast<std::int32_t>(children.size()));
  for (const Child& child : children) out.text(child.name);
}

bool is_with_stat(Opcode type) { return type != Opcode::create; }

// Writes the record of a reply. Returns 0, or the error number that is sent instead of a record.
struct BodyWriter {
  Opcode type;
  const std::optional<std::string>& text;
  Writer& out;

  std::int32_t operator()(const CreateReply& reply) const {
    out.text(reply.path);
    if (is_with_stat(type)) write_stat(reply.stat, out);
    return 0;
  }
  std::int32_t operator()(const GetReply& reply) const {
    out.text(reply.data);
    write_stat(reply.stat, out);
    return 0;
  }
  std::int32_t operator()(const ExistsReply& reply) const {
    if (!reply.stat) return static_cast<int>(ErrorCode::no_node);
    write_stat(*reply.stat, out);
    return 0;
  }
  std::int32_t operator()(const SetReply& reply) const {
    write_stat(reply.stat, out);
    return 0;
  }
  // A list that has ended early would look complete.
  std::int32_t operator()(const ChildrenReply& reply) const {
    if (reply.more) return error_number(ErrorCode::too_large);
    write_names(reply.children, out);
    if (type == Opcode::get_children2) write_stat(reply.stat, out);
    return 0;
  }
  std::int32_t operator()(const CountReply& reply) const {
    constexpr std::uint64_t most = std::numeric_limits<std::int32_t>::max();
    out.int32(static_cast<std::int32_t>(std::min(reply.count, most)));
    return 0;
  }
  // ZooKeeper compares the prefix as text, so it may end within a name.
  std::int32_t operator()(const EphemeralsReply& reply) const {
    const std::string_view prefix = text ? std::string_view(*text) : "";
    std::vector<std::string_view> paths;
    for (const std::string& path : reply.paths) {
      if (path.starts_with(prefix)) paths.push_back(path);
    }
    out.int32(static_cast<std::int32_t>(paths.size()));
    for (const std::string_view path : paths) out.text(path);
    return 0;
  }
  std::int32_t operator()(const AclReply& reply) const {
    if (type == Opcode::get_acl) write_acl(reply.acl, out);
    write_stat(reply.stat, out);
    return 0;
  }
  // Writes the user's name of a digest identity, without the hash.
  std::int32_t operator()(const WhoamiReply& reply) const {
    std::vector<const Identity*> shown;
    for (const Identity& identity : reply.identities) {
      if (identity.scheme != "world") shown.push_back(&identity);
    }
    out.int32(static_cast<std::int32_t>(shown.size()));
    for (const Identity* identity : shown) {
      const std::string_view id = identity->id;
      out.text(identity->scheme);
      out.text(identity->scheme == "digest" ? id.substr(0, id.find(':')) : id);
    }
    return 0;
  }
  std::int32_t operator()(const EmptyReply&) const {
    if (type == Opcode::sync) text ? out.text(*text) : out.null();
    if (type == Opcode::add_watch) out.int32(0);
    return 0;
  }
  std::int32_t operator()(const PongReply&) const { return 0; }
  std::int32_t operator()(const ClosedReply&) const { return 0; }
  // The reply to a jute::Ask is none of these.
  std::int32_t operator()(const WatchReply&) const { return 0; }
  std::int32_t operator()(const MultiReply&) const { return 0; }
  std::int32_t operator()(const TruncatedReply&) const { return 0; }
};

void write_op_header(std::int32_t type, bool is_end, std::int32_t error, Writer& out) {
  out.int32(type);
  out.boolean(is_end);
  out.int32(error);
}

void write_error_result(std::int32_t error, Writer& out) {
  write_op_header(multi_error, false, error, out);
  out.int32(error);
}

void write_result(Opcode type, const OpReply& reply, Writer& out) {
  const bool is_create = std::holds_alternative<CreateReply>(reply);
  const Opcode form = is_create && type != Opcode::create ? Opcode::create2 : type;
  write_op_header(static_cast<std::int32_t>(form), false, 0, out);
  const std::optional<std::string> no_text;
  std::visit([&](const auto& each) { BodyWriter{form, no_text, out}(each); }, reply);
}

// Appends a frame: its length, and the content that `write(Writer&)` appends.
template <typename Write>
void write_frame(std::string& out, Write write) {
  const std::size_t begin = out.size();
  Writer writer(out);
  writer.int32(0);
  write(writer);
  const auto size = big_endian(static_cast<std::int32_t>(out.size() - begin - 4));
  std::memcpy(out.data() + begin, &size, sizeof(size));
}

void write_session(std::int32_t timeout_ms, std::int64_t session, std::string_view password,
                   bool read_only, bool has_read_only, std::string& out) {
  write_frame(out, [&](Writer& writer) {
    writer.int32(0);
    writer.int32(timeout_ms);
    writer.int64(session);
    writer.text(password);
    if (has_read_only) writer.boolean(read_only);
  });
}

}  // namespace

std::int32_t error_number(ErrorCode code) {
  switch (code) {
    case ErrorCode::system_error:
    case ErrorCode::runtime_inconsistency:
    case ErrorCode::marshalling_error:
    case ErrorCode::unimplemented:
    case ErrorCode::bad_arguments:
    case ErrorCode::new_config_no_quorum:
    case ErrorCode::reconfig_in_progress:
    case ErrorCode::no_node:
    case ErrorCode::no_auth:
    case ErrorCode::bad_version:
    case ErrorCode::no_children_for_ephemerals:
    case ErrorCode::node_exists:
    case ErrorCode::not_empty:
    case ErrorCode::session_expired:
    case ErrorCode::invalid_acl:
    case ErrorCode::auth_failed:
    case ErrorCode::not_read_only:
    case ErrorCode::no_watcher:
    case ErrorCode::reconfig_disabled:
    case ErrorCode::quota_exceeded:
    case ErrorCode::throttled: return static_cast<std::int32_t>(code);
    case ErrorCode::overloaded: return static_cast<std::int32_t>(ErrorCode::throttled);
    // A client may not know these errors, or may treat them as the end of its session.
    case ErrorCode::connection_loss:
    case ErrorCode::operation_timeout:
    case ErrorCode::session_moved:
    case ErrorCode::server_behind:
    case ErrorCode::not_ready:
    case ErrorCode::too_many_connections:
    case ErrorCode::too_many_watches:
    case ErrorCode::too_large:
    case ErrorCode::too_many_sessions:
    case ErrorCode::condition_failed:
    case ErrorCode::cancelled: break;
  }
  return static_cast<std::int32_t>(ErrorCode::bad_arguments);
}

std::int32_t write_body(Opcode type, const ReplyBody& body, const std::optional<std::string>& text,
                        std::string& out) {
  Writer writer(out);
  return std::visit([&](const auto& each) { return BodyWriter{type, text, writer}(each); }, body);
}

void write_multi(const MultiReply& reply, const std::vector<Opcode>& types, std::string& out) {
  Writer writer(out);
  for (std::size_t i = 0; i < reply.results.size() && i < types.size(); ++i) {
    const Result<OpReply>& result = reply.results[i];
    if (reply.failed && i < *reply.failed) {
      write_error_result(0, writer);  // clients take the first error that is not 0
    } else if (!result) {
      write_error_result(error_number(result.error().code), writer);
    } else {
      write_result(types[i], *result, writer);
    }
  }
  write_results_end(out);
}

void write_read_result(const Result<ReplyBody>& result, std::string& out) {
  Writer writer(out);
  if (!result) return write_error_result(error_number(result.error().code), writer);
  const Opcode type =
      std::holds_alternative<GetReply>(*result) ? Opcode::get_data : Opcode::get_children;
  const std::size_t begin = out.size();
  write_op_header(static_cast<std::int32_t>(type), false, 0, writer);
  const std::int32_t error = write_body(type, *result, {}, out);
  if (error == 0) return;
  out.resize(begin);
  write_error_result(error, writer);
}

void write_results_end(std::string& out) {
  Writer writer(out);
  write_op_header(multi_error, true, -1, writer);
}

void write_reply(std::int32_t xid, std::int64_t zxid, std::int32_t error, std::string_view body,
                 std::string& out) {
  write_frame(out, [&](Writer& writer) {
    writer.int32(xid);
    writer.int64(zxid);
    writer.int32(error);
    if (error == 0) writer.raw(body);
  });
}

void write_event(EventKind kind, Zxid zxid, std::string_view path, std::string& out) {
  const auto type = [&] {
    switch (kind) {
      case EventKind::created: return 1;
      case EventKind::deleted: return 2;
      case EventKind::changed: return 3;
      case EventKind::children:
      case EventKind::resync:
      case EventKind::turn: break;
    }
    return 4;
  }();
  write_frame(out, [&](Writer& writer) {
    writer.int32(-1);
    writer.int64(number(zxid));
    writer.int32(0);
    writer.int32(type);
    writer.int32(state_connected);
    writer.text(path);
  });
}

void write_connected(const ConnectedReply& reply, bool has_read_only, std::string& out) {
  std::string password;
  Writer bytes(password);
  for (const std::size_t half : {0, 16}) {
    const auto number = from_hex(std::string_view(reply.password).substr(half, 16));
    bytes.int64(static_cast<std::int64_t>(number.value_or(0)));
  }
  write_session(static_cast<std::int32_t>(reply.timeout_ms),
                static_cast<std::int64_t>(reply.session.value), password, reply.read_only,
                has_read_only, out);
}

void write_no_session(bool has_read_only, std::string& out) {
  write_session(0, 0, no_password, false, has_read_only, out);
}

}  // namespace wire::jute
