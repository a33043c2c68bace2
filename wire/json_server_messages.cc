#include <nlohmann/json.hpp>

#include "wire/base64.h"
#include "wire/json.h"
#include "wire/json_text.h"

// What a client reads. A client trusts its server no further than to be a server: what does not
// have the form of docs/protocol.md refuses the whole frame, and unknown fields are left for newer
// versions to mean something by.
namespace wire::json {
namespace {

using Json = nlohmann::json;

// The first thing that is wrong with a frame; caught in parse_server_messages.
struct Malformed {
  std::string why;
};

const Json& at(const Json& object, const char* field) {
  const auto found = object.is_object() ? object.find(field) : object.end();
  if (!object.is_object() || found == object.end()) {
    throw Malformed{"missing field \"" + std::string(field) + '"'};
  }
  return *found;
}

bool has(const Json& object, const char* field) { return object.contains(field); }

Malformed wrong_type(const char* field) {
  return Malformed{"wrong type of field \"" + std::string(field) + '"'};
}

std::string string_at(const Json& object, const char* field) {
  const Json& value = at(object, field);
  if (!value.is_string()) throw wrong_type(field);
  return value.get<std::string>();
}

template <std::integral T>
T integer_at(const Json& object, const char* field) {
  const Json& value = at(object, field);
  if (value.is_number_unsigned() && std::in_range<T>(value.get<std::uint64_t>())) {
    return static_cast<T>(value.get<std::uint64_t>());
  }
  if (!value.is_number_unsigned() && value.is_number_integer() &&
      std::in_range<T>(value.get<std::int64_t>())) {
    return static_cast<T>(value.get<std::int64_t>());
  }
  throw wrong_type(field);
}

bool boolean_at(const Json& object, const char* field) {
  const Json& value = at(object, field);
  if (!value.is_boolean()) throw wrong_type(field);
  return value.get<bool>();
}

std::uint64_t hex_at(const Json& object, const char* field) {
  const auto bits = from_hex(string_at(object, field));
  if (!bits) throw wrong_type(field);
  return *bits;
}

Zxid zxid_at(const Json& object, const char* field) {
  return Zxid::from_bits(hex_at(object, field));
}

const Json& list_at(const Json& object, const char* field) {
  const Json& value = at(object, field);
  if (!value.is_array()) throw wrong_type(field);
  return value;
}

std::vector<std::string> strings_at(const Json& object, const char* field) {
  std::vector<std::string> strings;
  for (const Json& item : list_at(object, field)) {
    if (!item.is_string()) throw wrong_type(field);
    strings.push_back(item.get<std::string>());
  }
  return strings;
}

RequestId id_at(const Json& object, const char* field) {
  const Json& value = at(object, field);
  RequestId id;
  if (value.is_string()) {
    append_string(value.get_ref<const std::string&>(), id.json);
  } else if (value.is_number()) {
    id.json = value.dump();
  } else if (!value.is_null()) {
    throw wrong_type(field);
  }
  return id;
}

RequestId optional_id(const Json& object) {
  return has(object, "id") ? id_at(object, "id") : RequestId{};
}

std::optional<Bytes> optional_data(const Json& object) {
  if (has(object, "data")) return string_at(object, "data");
  if (!has(object, "data64")) return std::nullopt;
  std::optional<Bytes> bytes = from_base64(string_at(object, "data64"));
  if (!bytes) throw wrong_type("data64");
  return bytes;
}

Bytes data_at(const Json& object) {
  std::optional<Bytes> bytes = optional_data(object);
  if (!bytes) throw Malformed{"missing field \"data\""};
  return std::move(*bytes);
}

Stat stat_at(const Json& object) {
  const Json& from = at(object, "stat");
  Stat stat;
  stat.czxid = zxid_at(from, "czxid");
  stat.mzxid = zxid_at(from, "mzxid");
  stat.pzxid = zxid_at(from, "pzxid");
  stat.ctime = integer_at<TimeMs>(from, "ctime");
  stat.mtime = integer_at<TimeMs>(from, "mtime");
  stat.version = integer_at<std::int32_t>(from, "version");
  stat.cversion = integer_at<std::int32_t>(from, "cversion");
  stat.aversion = integer_at<std::int32_t>(from, "aversion");
  stat.ephemeral_owner = {hex_at(from, "ephemeralOwner")};
  stat.data_length = integer_at<std::int32_t>(from, "dataLength");
  stat.num_children = integer_at<std::int32_t>(from, "numChildren");
  if (has(from, "ttlMs")) stat.ttl_ms = integer_at<std::int64_t>(from, "ttlMs");
  stat.container = has(from, "container") && boolean_at(from, "container");
  return stat;
}

std::optional<Stat> nullable_stat(const Json& object) {
  if (at(object, "stat").is_null()) return std::nullopt;
  return stat_at(object);
}

Acl acl_at(const Json& object) {
  Acl acl;
  for (const Json& entry : list_at(object, "acl")) {
    const auto perms = perms_of(string_at(entry, "perms"));
    if (!perms) throw wrong_type("perms");
    acl.push_back({string_at(entry, "scheme"), string_at(entry, "id"), *perms});
  }
  return acl;
}

Error error_of(const Json& object) {
  const auto code = error_code_named(string_at(object, "error"));
  if (!code) throw Malformed{"unknown error " + string_at(object, "error")};
  return {*code, string_at(object, "message")};
}

// Reads the reply that each kind of request is answered with.
struct ReplyTo {
  const Json& object;

  CreateReply operator()(const CreateRequest&) const {
    return {string_at(object, "path"), stat_at(object)};
  }
  GetReply operator()(const GetRequest&) const { return {data_at(object), stat_at(object)}; }
  ExistsReply operator()(const ExistsRequest&) const { return {nullable_stat(object)}; }
  SetReply operator()(const SetRequest&) const { return {stat_at(object)}; }
  EmptyReply operator()(const DeleteRequest&) const { return {}; }
  EmptyReply operator()(const CheckRequest&) const { return {}; }
  ChildrenReply operator()(const ChildrenRequest& request) const {
    ChildrenReply reply;
    reply.with_details = request.with_stat || request.with_data;
    for (const Json& item : list_at(object, "children")) {
      Child child;
      if (item.is_string()) {
        child.name = item.get<std::string>();
      } else {
        child.name = string_at(item, "name");
        if (has(item, "stat")) child.stat = stat_at(item);
        child.data = optional_data(item);
      }
      reply.children.push_back(std::move(child));
    }
    reply.stat = stat_at(object);
    reply.more = has(object, "more") && boolean_at(object, "more");
    return reply;
  }
  CountReply operator()(const CountRequest&) const {
    return {integer_at<std::uint64_t>(object, "count")};
  }
  EphemeralsReply operator()(const EphemeralsRequest&) const {
    return {strings_at(object, "paths")};
  }
  AclReply operator()(const GetAclRequest&) const { return {acl_at(object), stat_at(object)}; }
  AclReply operator()(const SetAclRequest&) const { return {acl_at(object), stat_at(object)}; }
  MultiReply operator()(const MultiRequest& request) const {
    MultiReply reply;
    const Json& results = list_at(object, "results");
    if (results.size() != request.ops.size()) throw wrong_type("results");
    if (has(object, "error")) reply.failed = integer_at<std::size_t>(object, "index");
    if (reply.failed && *reply.failed >= results.size()) throw wrong_type("index");
    for (std::size_t i = 0; i < results.size(); ++i) {
      const Json& result = results[i];
      if (has(result, "error")) {
        reply.results.push_back(error_of(result));
      } else if (reply.failed) {
        reply.results.push_back(OpReply{EmptyReply{}});
      } else {
        reply.results.push_back(std::visit(
            [&](const auto& op) -> OpReply { return ReplyTo{result}(op); }, request.ops[i]));
      }
    }
    return reply;
  }
  EmptyReply operator()(const SyncRequest&) const { return {}; }
  WatchReply operator()(const WatchRequest&) const {
    return {id_at(object, "watch"), nullable_stat(object)};
  }
  EmptyReply operator()(const UnwatchRequest&) const { return {}; }
  EmptyReply operator()(const AuthRequest&) const { return {}; }
  WhoamiReply operator()(const WhoamiRequest&) const {
    WhoamiReply reply;
    for (const Json& item : list_at(object, "identities")) {
      reply.identities.push_back({string_at(item, "scheme"), string_at(item, "id")});
    }
    return reply;
  }
  PongReply operator()(const PingRequest&) const { return {}; }
  ClosedReply operator()(const CloseRequest&) const { return {}; }
  EmptyReply operator()(const ConnectRequest&) const { throw Malformed{"a reply to a connect"}; }
};

Reply reply_of(const Json& object, const RequestOf& request_of) {
  Reply reply{{}, {}, Encoding::text_if_utf8, ReplyBody{EmptyReply{}}};
  reply.id = optional_id(object);
  if (has(object, "zxid")) reply.zxid = zxid_at(object, "zxid");

  const Request* request = reply.id.none() ? nullptr : request_of(reply.id);
  if (!reply.id.none() && !request) {
    throw Malformed{"a reply to a request that is not outstanding: " + reply.id.json};
  }
  const bool failed_multi = has(object, "error") && has(object, "results");
  if (has(object, "error") && !failed_multi) {
    reply.body = error_of(object);
  } else if (request) {
    reply.body =
        std::visit([&](const auto& each) -> ReplyBody { return ReplyTo{object}(each); }, *request);
  }
  return reply;
}

Reply reply_without_id(const Json& object, ReplyBody body) {
  Reply reply{{}, {}, Encoding::text_if_utf8, std::move(body)};
  if (has(object, "zxid")) reply.zxid = zxid_at(object, "zxid");
  return reply;
}

EventKind event_kind_of(const std::string& text) {
  for (const EventKind kind : {EventKind::created, EventKind::changed, EventKind::deleted,
                               EventKind::children, EventKind::resync}) {
    if (name(kind) == text) return kind;
  }
  throw wrong_type("event");
}

WatchEvent event_of(const Json& object) {
  WatchEvent event;
  event.watch = id_at(object, "watch");
  event.kind = event_kind_of(string_at(object, "event"));
  if (event.kind != EventKind::resync || has(object, "path")) {
    event.path = string_at(object, "path");
  }
  event.zxid = zxid_at(object, "zxid");
  event.data = optional_data(object);
  if (has(object, "stat")) event.stat = nullable_stat(object);
  return event;
}

Role role_of(const std::string& text) {
  for (const Role role :
       {Role::looking, Role::follower, Role::observer, Role::leader, Role::standalone}) {
    if (name(role) == text) return role;
  }
  throw wrong_type("role");
}

ConnectedReply connected_of(const Json& object) {
  return {{hex_at(object, "session")},
          string_at(object, "password"),
          integer_at<std::int64_t>(object, "timeoutMs"),
          integer_at<std::uint32_t>(object, "server"),
          role_of(string_at(object, "role")),
          zxid_at(object, "zxid"),
          boolean_at(object, "resumed"),
          has(object, "servers") ? strings_at(object, "servers") : std::vector<std::string>{},
          has(object, "readOnly") && boolean_at(object, "readOnly"),
          optional_id(object)};
}

ConnectRefused refused_of(const Json& object) {
  ConnectRefused refused{error_of(object), std::nullopt, optional_id(object)};
  if (has(object, "zxid")) refused.zxid = zxid_at(object, "zxid");
  return refused;
}

ServerMessage message_of(const Json& object, const RequestOf& request_of) {
  if (!object.is_object()) throw Malformed{"not an object"};
  if (has(object, "event")) return event_of(object);
  if (!has(object, "op")) return reply_of(object, request_of);

  const std::string op = string_at(object, "op");
  if (op == "connected") return connected_of(object);
  if (op == "connect") return refused_of(object);
  if (has(object, "id")) return reply_of(object, request_of);
  if (op == "expired") return Expired{};
  if (op == "goaway") return GoAway{string_at(object, "reason")};
  if (op == "pong") return reply_without_id(object, PongReply{});
  if (op == "closed") return reply_without_id(object, ClosedReply{});
  throw Malformed{"unknown op " + op};
}

// Stops before the text's nesting can exhaust the stack.
Json json_of(std::string_view text) {
  bool too_deep = false;
  Json json = Json::parse(
      text.begin(), text.end(),
      [&](int depth, Json::parse_event_t, Json&) {
        too_deep = too_deep || depth >= static_cast<int>(nesting_max);
        return !too_deep;
      },
      /*allow_exceptions=*/false);
  if (json.is_discarded() || too_deep) throw Malformed{too_deep ? "nested too deeply" : "not JSON"};
  return json;
}

}  // namespace

Result<std::vector<ServerMessage>> parse_server_messages(std::string_view text,
                                                         const RequestOf& request_of) try {
  const Json frame = json_of(text);
  std::vector<ServerMessage> messages;
  if (frame.is_array()) {
    for (const Json& item : frame) messages.push_back(message_of(item, request_of));
  } else {
    messages.push_back(message_of(frame, request_of));
  }
  return messages;
} catch (const Malformed& malformed) {
  return Error{ErrorCode::marshalling_error, "the server sent no valid frame: " + malformed.why};
}

}  // namespace wire::json
