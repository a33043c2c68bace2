#include <algorithm>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "wire/base64.h"
#include "wire/json.h"
#include "wire/json_text.h"
#include "wire/reply_fields.h"

// The client's reader. It rejects a frame as a whole if any of it does not have the form of
// docs/protocol.md, and ignores unknown fields, which newer servers may send.
namespace wire::json {
namespace {

using Json = nlohmann::json;

// The first error of a frame. Caught in parse_server_messages.
struct Malformed {
  std::string why;
};

Malformed missing(std::string_view field) {
  return Malformed{"missing field \"" + std::string(field) + '"'};
}
Malformed wrong_type(std::string_view field) {
  return Malformed{"wrong type of field \"" + std::string(field) + '"'};
}

// Reads the fields of one object into the members of a struct, as its list says.
class FieldReader {
 public:
  explicit FieldReader(const Json& object) : object_(object) {
    if (!object.is_object()) throw Malformed{"not an object"};
  }

  [[nodiscard]] bool has(std::string_view field) const { return object_.contains(field); }
  [[nodiscard]] const Json& at(std::string_view field) const {
    const auto found = object_.find(field);
    if (found == object_.end()) throw missing(field);
    return *found;
  }
  template <class T>
  [[nodiscard]] T value(std::string_view field) const {
    T value{};
    convert(at(field), field, value);
    return value;
  }
  template <class T>
  [[nodiscard]] T value_or(std::string_view field, T value) const {
    if (has(field)) convert(at(field), field, value);
    return value;
  }

  // Reads all fields of T's list.
  template <HasFields T>
  void read(T& out) const {
    for_each_field<T>(
        [&]<class Place>(Place) { read_field(std::get<Place::value>(fields_of<T>), out); });
  }
  void read(Error& out) const {
    const auto text = value<std::string>("error");
    const auto code = error_code_named(text);
    if (!code) throw Malformed{"unknown error " + text};
    out = {*code, value<std::string>("message"), {}};
    if (has("found")) read(out.unmet.emplace());
  }
  template <class T>
  [[nodiscard]] T read() const {
    T out;
    read(out);
    return out;
  }

 private:
  template <class S, class M>
  void read_field(const Embedded<S, M>& field, S& out) const {
    read(out.*field.member);
  }
  template <class S, class M, As as>
  void read_field(const Field<S, M, as>& field, S& out) const {
    M& member = out.*field.member;
    if (has(field.name)) {
      if constexpr (as == As::perms) {
        convert_perms(at(field.name), field.name, member);
      } else {
        convert(at(field.name), field.name, member);
      }
    } else if (as == As::data && has("data64")) {
      if constexpr (as == As::data) convert_base64(at("data64"), "data64", member);
    } else if (field.is_required(out)) {
      throw missing(field.name);
    }
  }

  // --- The value of a field, by the type of its member ---

  static void convert(const Json& value, std::string_view field, std::string& out) {
    if (!value.is_string()) throw wrong_type(field);
    out = value.get_ref<const std::string&>();
  }
  static void convert(const Json& value, std::string_view field, SharedBytes& out) {
    out = Bytes(text_of(value, field));
  }
  static void convert(const Json& value, std::string_view field, bool& out) {
    if (!value.is_boolean()) throw wrong_type(field);
    out = value.get<bool>();
  }
  template <std::integral T>
  requires(!std::same_as<T, bool>) static void convert(const Json& value, std::string_view field,
                                                       T& out) {
    const auto from = [&](auto number) {
      if (!std::in_range<T>(number)) throw wrong_type(field);
      out = static_cast<T>(number);
    };
    if (value.is_number_unsigned()) return from(value.get<std::uint64_t>());
    if (value.is_number_integer()) return from(value.get<std::int64_t>());
    throw wrong_type(field);
  }
  template <class Enum>
  requires std::is_enum_v<Enum>
  static void convert(const Json& value, std::string_view field, Enum& out) {
    const auto& names = names_of<Enum>;
    const auto* const found = std::ranges::find(names, text_of(value, field));
    if (found == names.end()) throw wrong_type(field);
    out = static_cast<Enum>(found - names.begin());
  }
  static void convert(const Json& value, std::string_view field, Zxid& out) {
    out = Zxid::from_bits(hex(value, field));
  }
  static void convert(const Json& value, std::string_view field, SessionId& out) {
    out.value = hex(value, field);
  }
  static void convert(const Json& value, std::string_view field, RequestId& out) {
    if (value.is_string()) {
      append_string(text_of(value, field), out.json);
    } else if (value.is_number()) {
      out.json = value.dump();
    } else if (!value.is_null()) {
      throw wrong_type(field);
    }
  }
  // A child without details is its name.
  static void convert(const Json& value, std::string_view, Child& out) {
    if (value.is_string()) {
      out.name = value.get_ref<const std::string&>();
    } else {
      FieldReader(value).read(out);
    }
  }
  template <HasFields T>
  static void convert(const Json& value, std::string_view, T& out) {
    FieldReader(value).read(out);
  }
  template <class T>
  static void convert(const Json& value, std::string_view field, std::optional<T>& out) {
    if (!value.is_null()) convert(value, field, out.emplace());
  }
  template <class T>
  static void convert(const Json& value, std::string_view field, std::vector<T>& out) {
    if (!value.is_array()) throw wrong_type(field);
    for (const Json& item : value) convert(item, field, out.emplace_back());
  }

  static void convert_perms(const Json& value, std::string_view field, std::uint8_t& out) {
    const auto perms = perms_of(text_of(value, field));
    if (!perms) throw wrong_type(field);
    out = *perms;
  }
  template <class Data>  // Bytes, or an optional of them
  static void convert_base64(const Json& value, std::string_view field, Data& out) {
    std::optional<Bytes> bytes = from_base64(text_of(value, field));
    if (!bytes) throw wrong_type(field);
    out = *std::move(bytes);
  }
  static const std::string& text_of(const Json& value, std::string_view field) {
    if (!value.is_string()) throw wrong_type(field);
    return value.get_ref<const std::string&>();
  }
  static std::uint64_t hex(const Json& value, std::string_view field) {
    const auto bits = from_hex(text_of(value, field));
    if (!bits) throw wrong_type(field);
    return *bits;
  }

  const Json& object_;
};

// --- Replies ---

// The body of the reply to `request`.
template <class Request>
typename Request::Reply reply_to(const Request&, const FieldReader& object) {
  return object.read<typename Request::Reply>();
}

ChildrenReply reply_to(const ChildrenRequest& request, const FieldReader& object) {
  auto reply = object.read<ChildrenReply>();
  reply.with_details = request.with_stat || request.with_data;
  return reply;
}

MultiReply reply_to(const MultiRequest& request, const FieldReader& object) {
  MultiReply reply;
  if (request.otherwise) reply.branch = object.value<Branch>("branch");
  const auto& ops = reply.branch == Branch::otherwise ? *request.otherwise : request.ops;
  const Json& results = object.at("results");
  if (!results.is_array() || results.size() != ops.size()) throw wrong_type("results");
  if (object.has("error")) reply.failed = object.value<std::size_t>("index");
  if (reply.failed && *reply.failed >= results.size()) throw wrong_type("index");
  for (std::size_t i = 0; i < results.size(); ++i) {
    const FieldReader result(results[i]);
    if (result.has("error")) {
      reply.results.emplace_back(result.read<Error>());
    } else if (reply.failed) {
      reply.results.emplace_back(OpReply{EmptyReply{}});
    } else {
      reply.results.emplace_back(
          std::visit([&](const auto& op) -> OpReply { return reply_to(op, result); }, ops[i]));
    }
  }
  return reply;
}

EmptyReply reply_to(const ConnectRequest&, const FieldReader&) {
  throw Malformed{"a reply to a connect"};
}

Reply reply_of(const FieldReader& object, const RequestOf& request_of) {
  Reply reply{object.value_or("id", RequestId{}), object.value_or("zxid", Zxid{}),
              Encoding::text_if_utf8, ReplyBody{EmptyReply{}}};
  const Request* request = reply.id.none() ? nullptr : request_of(reply.id);
  if (!reply.id.none() && !request) {
    throw Malformed{"a reply to a request that is not outstanding: " + reply.id.json};
  }
  const bool failed_multi = object.has("error") && object.has("results");
  if (object.has("error") && !failed_multi) {
    reply.body = object.read<Error>();
  } else if (object.has("truncated")) {
    reply.body = TruncatedReply{reply.zxid};
  } else if (request) {
    reply.body =
        std::visit([&](const auto& each) -> ReplyBody { return reply_to(each, object); }, *request);
  }
  return reply;
}

ServerMessage message_of(const Json& json, const RequestOf& request_of) {
  const FieldReader object(json);
  if (object.has("event")) return object.read<WatchEvent>();
  if (!object.has("op")) return reply_of(object, request_of);

  const auto without_id = [&](ReplyBody body) {
    return Reply{{}, object.value_or("zxid", Zxid{}), Encoding::text_if_utf8, std::move(body)};
  };
  const auto op = object.value<std::string>("op");
  if (op == "connected") return object.read<ConnectedReply>();
  if (op == "connect") return object.read<ConnectRefused>();
  if (object.has("id")) return reply_of(object, request_of);
  if (op == "expired") return Expired{};
  if (op == "goaway") return object.read<GoAway>();
  if (op == "pong") return without_id(object.read<PongReply>());
  if (op == "closed") return without_id(ClosedReply{});
  throw Malformed{"unknown op " + op};
}

// Stops before deep nesting can exhaust the stack.
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
