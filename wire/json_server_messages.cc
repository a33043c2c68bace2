#include <algorithm>
#include <concepts>
#include <cstdint>
#include <new>
#include <optional>
#include <simdjson.h>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "wire/base64.h"
#include "wire/json.h"
#include "wire/json_text.h"
#include "wire/reply_fields.h"

// The client's reader. It rejects a frame as a whole if any of it does not have the form of
// docs/protocol.md, and ignores unknown fields, which newer servers may send.
namespace wire::json {
namespace {

using Json = simdjson::dom::element;
using simdjson::SUCCESS;

// A parser keeps about 15 times the largest text that it has read.
constexpr std::size_t kept_parser_bytes = 64 * 1024;

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
  explicit FieldReader(const Json& object) {
    if (object.get(object_) != SUCCESS) throw Malformed{"not an object"};
    next_ = object_.begin();
  }

  [[nodiscard]] bool has(std::string_view field) const { return find(field).has_value(); }
  [[nodiscard]] Json at(std::string_view field) const {
    const auto found = find(field);
    if (!found) throw missing(field);
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
    if (const auto found = find(field)) convert(*found, field, value);
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
  // Begins behind the field that was found last: servers write fields in the order of the lists.
  [[nodiscard]] std::optional<Json> find(std::string_view field) const {
    const auto from = next_;
    for (auto at = from; at != object_.end(); ++at) {
      if (at.key_equals(field)) return found(at);
    }
    for (auto at = object_.begin(); at != from; ++at) {
      if (at.key_equals(field)) return found(at);
    }
    return std::nullopt;
  }
  [[nodiscard]] Json found(simdjson::dom::object::iterator at) const {
    const Json value = at.value();
    next_ = ++at;
    return value;
  }

  template <class S, class M>
  void read_field(const Embedded<S, M>& field, S& out) const {
    read(out.*field.member);
  }
  template <class S, class M, As as>
  void read_field(const Field<S, M, as>& field, S& out) const {
    M& member = out.*field.member;
    if (const auto found = find(field.name)) {
      if constexpr (as == As::perms) {
        convert_perms(*found, field.name, member);
      } else {
        convert(*found, field.name, member);
      }
    } else if (as == As::data && has("data64")) {
      if constexpr (as == As::data) convert_base64(at("data64"), "data64", member);
    } else if (field.is_required(out)) {
      throw missing(field.name);
    }
  }

  // --- The value of a field, by the type of its member ---

  static void convert(const Json& value, std::string_view field, std::string& out) {
    out = text_of(value, field);
  }
  static void convert(const Json& value, std::string_view field, SharedBytes& out) {
    out = Bytes(text_of(value, field));
  }
  static void convert(const Json& value, std::string_view field, bool& out) {
    if (value.get(out) != SUCCESS) throw wrong_type(field);
  }
  template <std::integral T>
  requires(!std::same_as<T, bool>) static void convert(const Json& value, std::string_view field,
                                                       T& out) {
    const auto from = [&](auto number) {
      if (!std::in_range<T>(number)) throw wrong_type(field);
      out = static_cast<T>(number);
    };
    std::int64_t number = 0;
    if (value.get(number) == SUCCESS) return from(number);
    std::uint64_t large = 0;
    if (value.get(large) == SUCCESS) return from(large);
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
      out.json = simdjson::minify(value);
    } else if (!value.is_null()) {
      throw wrong_type(field);
    }
  }
  // A child without details is its name.
  static void convert(const Json& value, std::string_view, Child& out) {
    if (value.is_string()) {
      out.name = text_of(value, {});
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
    simdjson::dom::array items;
    if (value.get(items) != SUCCESS) throw wrong_type(field);
    for (const Json item : items) convert(item, field, out.emplace_back());
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
  // Valid as long as the parsed text.
  static std::string_view text_of(const Json& value, std::string_view field) {
    std::string_view text;
    if (value.get(text) != SUCCESS) throw wrong_type(field);
    return text;
  }
  static std::uint64_t hex(const Json& value, std::string_view field) {
    const auto bits = from_hex(text_of(value, field));
    if (!bits) throw wrong_type(field);
    return *bits;
  }

  simdjson::dom::object object_;
  mutable simdjson::dom::object::iterator next_;
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
  simdjson::dom::array results;
  if (object.at("results").get(results) != SUCCESS) throw wrong_type("results");
  if (object.has("error")) reply.failed = object.value<std::size_t>("index");
  if (reply.failed && *reply.failed >= ops.size()) throw wrong_type("index");
  for (const Json each : results) {
    const std::size_t i = reply.results.size();
    if (i == ops.size()) throw wrong_type("results");
    const FieldReader result(each);
    if (result.has("error")) {
      reply.results.emplace_back(result.read<Error>());
    } else if (reply.failed) {
      reply.results.emplace_back(OpReply{EmptyReply{}});
    } else {
      reply.results.emplace_back(
          std::visit([&](const auto& op) -> OpReply { return reply_to(op, result); }, ops[i]));
    }
  }
  if (reply.results.size() != ops.size()) throw wrong_type("results");
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
  const bool failed = object.has("error");
  if (failed && !object.has("results")) {
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

Json json_of(std::string_view text, simdjson::dom::parser& parser) {
  Json json;
  if (parser.capacity() < text.size() &&
      parser.allocate(std::max(text.size(), kept_parser_bytes), nesting_max) != SUCCESS) {
    throw std::bad_alloc();
  }
  const simdjson::error_code error = parser.parse(text.data(), text.size()).get(json);
  if (error == simdjson::DEPTH_ERROR) throw Malformed{"nested too deeply"};
  if (error == simdjson::MEMALLOC) throw std::bad_alloc();
  if (error != SUCCESS) throw Malformed{"not JSON"};
  return json;
}

std::vector<ServerMessage> messages_of(const Json& frame, const RequestOf& request_of) {
  std::vector<ServerMessage> messages;
  simdjson::dom::array items;
  if (frame.get(items) == SUCCESS) {
    for (const Json item : items) messages.push_back(message_of(item, request_of));
  } else {
    messages.push_back(message_of(frame, request_of));
  }
  return messages;
}

}  // namespace

Result<std::vector<ServerMessage>> parse_server_messages(std::string_view text,
                                                         const RequestOf& request_of) try {
  if (text.size() > kept_parser_bytes) {
    simdjson::dom::parser parser;
    return messages_of(json_of(text, parser), request_of);
  }
  thread_local simdjson::dom::parser kept_parser;
  return messages_of(json_of(text, kept_parser), request_of);
} catch (const Malformed& malformed) {
  return Error{ErrorCode::marshalling_error, "the server sent no valid frame: " + malformed.why};
}

}  // namespace wire::json
