#include <algorithm>
#include <array>
#include <limits>
#include <string>
#include <utility>

#include "wire/base64.h"
#include "wire/fields.h"
#include "wire/json_text.h"

namespace wire {
namespace {

// A client's own words in a message: quoted, and cut where they are long.
std::string quoted(std::string_view text) {
  constexpr std::size_t bytes_max = 64;
  if (text.size() <= bytes_max) return '"' + std::string(text) + '"';
  std::size_t end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return '"' + std::string(text.substr(0, end)) + "…\"";
}

Error bad_arguments(std::string message) { return {ErrorCode::bad_arguments, std::move(message)}; }

using FieldSet = std::uint64_t;

template <typename... F>
constexpr FieldSet fields(F... field) {
  return (FieldSet{0} | ... | (FieldSet{1} << static_cast<unsigned>(field)));
}

constexpr FieldSet read_fields_allowed = fields(Field::consistency, Field::watch);

// The fields of one object on their way into a request. Of all that is wrong with them the first
// complaint is kept; what is asked for after that is some value of the right type.
class Form {
 public:
  // `what` is how messages call the object, e.g. "create".
  Form(Fields& object, std::string_view what) : object_(object), what_(what) {}

  void allow_only(FieldSet allowed) {
    if (object_.format == Format::cbor) allowed &= ~fields(Field::data64);
    if (object_.duplicate) fail("duplicate field " + quoted(name(*object_.duplicate)));
    if (object_.unknown) fail_unknown(*object_.unknown);
    for (const auto& [field, value] : object_.known) {
      if ((fields(field) & allowed) == 0) fail_unknown(name(field));
    }
  }

  [[nodiscard]] bool has(Field field) const { return object_.find(field) != nullptr; }

  void require(Field field) {
    if (!has(field)) fail("missing field " + quoted(name(field)));
  }

  std::string string(Field field) {
    require(field);
    return string_or(field, {});
  }
  std::string string_or(Field field, std::string fallback) {
    Value* value = typed(field, Value::Kind::string, "a string");
    return value ? std::move(value->text) : fallback;
  }
  std::optional<std::string> optional_string(Field field) {
    if (!has(field)) return std::nullopt;
    return string(field);
  }

  bool boolean(Field field) {
    const Value* value = typed(field, Value::Kind::boolean, "true or false");
    return value && value->boolean;
  }

  template <std::integral T>
  std::optional<T> optional_integer(Field field) {
    const Value* value = object_.find(field);
    if (!value) return std::nullopt;
    // A `number` is a fraction, or an integer that not even 64 bits can hold.
    const bool too_long =
        value->kind == Value::Kind::number && value->text.find_first_of(".eE") == std::string::npos;
    if (too_long || (value->kind == Value::Kind::integer && !std::in_range<T>(value->integer))) {
      fail_type(field, "between " + std::to_string(std::numeric_limits<T>::min()) + " and " +
                           std::to_string(std::numeric_limits<T>::max()));
      return T{};
    }
    if (value->kind != Value::Kind::integer) {
      fail_type(field, "an integer");
      return T{};
    }
    return static_cast<T>(value->integer);
  }
  std::int32_t version() {
    return optional_integer<std::int32_t>(Field::version).value_or(any_version);
  }

  std::optional<std::uint64_t> optional_hex(Field field) {
    const Value* value = object_.find(field);
    if (!value) return std::nullopt;
    const auto bits = value->kind == Value::Kind::string ? from_hex(value->text) : std::nullopt;
    if (!bits) fail_type(field, "a string of 16 lower-case hex digits");
    return bits.value_or(0);
  }
  std::optional<Zxid> optional_zxid(Field field) {
    const auto bits = optional_hex(field);
    if (!bits) return std::nullopt;
    return Zxid::from_bits(*bits);
  }

  RequestId request_id(Field field) {
    const Value* value = object_.find(field);
    if (!value) return {};
    RequestId id;
    if (value->kind == Value::Kind::integer) {
      json::append_integer(value->integer, id.json);
    } else if (value->kind == Value::Kind::number) {
      id.json = value->text;
    } else if (value->kind == Value::Kind::string) {
      json::append_string(value->text, id.json);
    } else {
      fail_type(field, "a number or a string");
    }
    if (id.json.size() > id_bytes_max) {
      fail_type(field, "at most " + std::to_string(id_bytes_max) + " bytes long");
      id.json.clear();
    }
    return id;
  }

  Bytes data() {
    if (has(Field::data) && has(Field::data64)) {
      fail("fields \"data\" and \"data64\" exclude each other");
    }
    if (!has(Field::data64)) {
      Value* value = object_.format == Format::cbor
                         ? typed(Field::data, Value::Kind::bytes, "a byte string")
                         : typed(Field::data, Value::Kind::string, "a string");
      return value ? std::move(value->text) : Bytes{};
    }
    const std::string text = string(Field::data64);
    std::optional<Bytes> bytes = from_base64(text);
    if (!bytes) fail_type(Field::data64, "base64, padded and without whitespace");
    return std::move(bytes).value_or(Bytes{});
  }

  // One of `names`, by its place among them; the first where the field is absent.
  std::size_t choice(Field field, std::initializer_list<std::string_view> names) {
    const Value* value = object_.find(field);
    if (!value) return 0;
    if (value->kind == Value::Kind::string) {
      const auto found = std::ranges::find(names, value->text);
      if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
    }
    std::string wanted;
    for (const std::string_view each : names) {
      if (!wanted.empty()) wanted += " or ";
      wanted += quoted(each);
    }
    fail_type(field, wanted);
    return 0;
  }
  Encoding encoding() {
    return choice(Field::encoding, {"text", "base64"}) == 0 ? Encoding::text_if_utf8
                                                            : Encoding::base64;
  }
  WatchScope scope() {
    return static_cast<WatchScope>(choice(Field::scope, {"node", "children", "subtree"}));
  }

  // A list of objects, each read by `read(form, index)`.
  template <typename T, typename Read>
  std::vector<T> list(Field field, Read read) {
    std::vector<T> result;
    Value* value = typed(field, Value::Kind::array, "a list");
    if (!value) return result;
    result.reserve(value->items.size());
    for (Fields& item : value->items) {
      const std::string place =
          std::string(name(field)) + '[' + std::to_string(result.size()) + ']';
      Form form(item, name(field));
      if (!item.is_object) form.fail("must be an object");
      result.push_back(read(form));
      if (form.error_) {
        fail({form.error_->code, place + ": " + form.error_->message});
        break;
      }
    }
    return result;
  }
  Acl acl() {
    return list<AclEntry>(Field::acl, [](Form& form) {
      form.allow_only(fields(Field::scheme, Field::id, Field::perms));
      AclEntry entry{form.string(Field::scheme), {}, 0};
      // Scheme `auth` means whoever asks, so it needs no id.
      if (entry.scheme != "auth") form.require(Field::id);
      entry.id = form.string_or(Field::id, {});
      const auto perms = perms_of(form.string(Field::perms));
      if (!perms) {
        form.fail({ErrorCode::invalid_acl, "field \"perms\" must be letters out of \"cdrwa\""});
      }
      entry.perms = perms.value_or(std::uint8_t{0});
      return entry;
    });
  }
  std::vector<AuthRequest> auth() {
    return list<AuthRequest>(Field::auth, [](Form& form) {
      form.allow_only(fields(Field::scheme, Field::token));
      return AuthRequest{form.string(Field::scheme), form.string(Field::token)};
    });
  }

  ReadOptions read_options() { return {consistency(), boolean(Field::watch)}; }

  void fail(Error error) {
    if (!error_) error_ = std::move(error);
  }
  void fail(std::string message) { fail(bad_arguments(std::move(message))); }
  void fail_type(Field field, std::string_view must_be) {
    fail("field " + quoted(name(field)) + " must be " + std::string(must_be));
  }
  [[nodiscard]] const std::optional<Error>& error() const { return error_; }
  [[nodiscard]] Fields& object() { return object_; }

 private:
  void fail_unknown(std::string_view field) {
    fail("unknown field " + quoted(field) + " in " + std::string(what_));
  }

  Value* typed(Field field, Value::Kind kind, std::string_view must_be) {
    Value* value = object_.find(field);
    if (!value || value->kind == kind) return value;
    fail_type(field, must_be);
    return nullptr;
  }

  Consistency consistency() {
    Value* value = object_.find(Field::consistency);
    if (!value) return SessionConsistency{};
    if (value->kind == Value::Kind::string && value->text == "session") return SessionConsistency{};
    if (value->kind == Value::Kind::string && value->text == "linearizable") return Linearizable{};
    if (value->kind != Value::Kind::object) {
      fail_type(Field::consistency, R"("session", "linearizable" or {"atLeast": zxid})");
      return SessionConsistency{};
    }
    Form inside(value->items.front(), "consistency");
    inside.allow_only(fields(Field::at_least));
    inside.require(Field::at_least);
    const AtLeast at_least{inside.optional_zxid(Field::at_least).value_or(Zxid{})};
    if (inside.error_) fail(inside.error_->message);
    return at_least;
  }

  Fields& object_;
  std::string_view what_;
  std::optional<Error> error_;
};

std::vector<MultiOp> multi_ops(Form& form);

struct Operation {
  std::string_view name;
  FieldSet allowed;
  Request (*read)(Form& form);
};

// Braced initializers are evaluated from left to right: complaints come in the order of the
// structs.
constexpr std::array operations{
    Operation{"create",
              fields(Field::path, Field::data, Field::data64, Field::ephemeral, Field::sequential,
                     Field::container, Field::parents, Field::ttl_ms, Field::acl),
              [](Form& form) -> Request {
                CreateRequest request{form.string(Field::path),
                                      form.data(),
                                      form.boolean(Field::ephemeral),
                                      form.boolean(Field::sequential),
                                      form.boolean(Field::container),
                                      form.boolean(Field::parents),
                                      form.optional_integer<std::int64_t>(Field::ttl_ms),
                                      std::nullopt};
                if (form.has(Field::acl)) request.acl = form.acl();
                return request;
              }},
    Operation{"get", fields(Field::path) | read_fields_allowed,
              [](Form& form) -> Request {
                return GetRequest{form.string(Field::path), form.read_options()};
              }},
    Operation{"exists", fields(Field::path) | read_fields_allowed,
              [](Form& form) -> Request {
                return ExistsRequest{form.string(Field::path), form.read_options()};
              }},
    Operation{"set", fields(Field::path, Field::data, Field::data64, Field::version, Field::create),
              [](Form& form) -> Request {
                if (!form.has(Field::data64)) form.require(Field::data);
                return SetRequest{form.string(Field::path), form.data(), form.version(),
                                  form.boolean(Field::create)};
              }},
    Operation{"delete", fields(Field::path, Field::version, Field::recursive),
              [](Form& form) -> Request {
                return DeleteRequest{form.string(Field::path), form.version(),
                                     form.boolean(Field::recursive)};
              }},
    Operation{"children",
              fields(Field::path, Field::with_stat, Field::with_data, Field::after, Field::limit) |
                  read_fields_allowed,
              [](Form& form) -> Request {
                return ChildrenRequest{form.string(Field::path),
                                       form.boolean(Field::with_stat),
                                       form.boolean(Field::with_data),
                                       form.optional_string(Field::after),
                                       form.optional_integer<std::uint32_t>(Field::limit),
                                       form.read_options()};
              }},
    Operation{"count", fields(Field::path) | read_fields_allowed,
              [](Form& form) -> Request {
                return CountRequest{form.string(Field::path), form.read_options()};
              }},
    Operation{"ephemerals", fields(Field::prefix),
              [](Form& form) -> Request {
                return EphemeralsRequest{form.string_or(Field::prefix, "/")};
              }},
    Operation{"getAcl", fields(Field::path),
              [](Form& form) -> Request { return GetAclRequest{form.string(Field::path)}; }},
    Operation{"setAcl", fields(Field::path, Field::acl, Field::version),
              [](Form& form) -> Request {
                form.require(Field::acl);
                return SetAclRequest{form.string(Field::path), form.acl(), form.version()};
              }},
    Operation{"multi", fields(Field::ops),
              [](Form& form) -> Request {
                form.require(Field::ops);
                return MultiRequest{multi_ops(form)};
              }},
    Operation{"sync", fields(Field::path),
              [](Form& form) -> Request { return SyncRequest{form.string(Field::path)}; }},
    Operation{
        "watch", fields(Field::path, Field::scope, Field::once, Field::with_data, Field::from),
        [](Form& form) -> Request {
          return WatchRequest{form.string(Field::path), form.scope(), form.boolean(Field::once),
                              form.boolean(Field::with_data), form.optional_zxid(Field::from)};
        }},
    Operation{"unwatch", fields(Field::watch),
              [](Form& form) -> Request {
                form.require(Field::watch);
                return UnwatchRequest{form.request_id(Field::watch)};
              }},
    Operation{"auth", fields(Field::scheme, Field::token),
              [](Form& form) -> Request {
                return AuthRequest{form.string(Field::scheme), form.string(Field::token)};
              }},
    Operation{"whoami", 0, [](Form&) -> Request { return WhoamiRequest{}; }},
    Operation{"ping", 0, [](Form&) -> Request { return PingRequest{}; }},
    Operation{"close", 0, [](Form&) -> Request { return CloseRequest{}; }},
    Operation{"connect",
              fields(Field::timeout_ms, Field::session, Field::password, Field::last_zxid,
                     Field::auth, Field::read_only, Field::dedup, Field::batch),
              [](Form& form) -> Request {
                if (form.has(Field::session)) form.require(Field::password);
                if (form.has(Field::password)) form.require(Field::session);
                ConnectRequest request;
                request.timeout_ms = form.optional_integer<std::int64_t>(Field::timeout_ms);
                if (const auto id = form.optional_hex(Field::session)) request.session = {*id};
                request.password = form.string_or(Field::password, {});
                request.last_zxid = form.optional_zxid(Field::last_zxid);
                request.auth = form.auth();
                request.read_only = form.boolean(Field::read_only);
                request.dedup = form.boolean(Field::dedup);
                request.batch = form.boolean(Field::batch);
                return request;
              }},
};

// Reads `op` and then what that operation wants. Null, with the form's error set, if it is none.
const Operation* operation_of(Form& form) {
  form.require(Field::op);
  const std::string op = form.string_or(Field::op, {});
  if (form.error()) return nullptr;
  const auto found = std::ranges::find(operations, op, &Operation::name);
  if (found != operations.end()) return &*found;
  form.fail("unknown op " + quoted(op));
  return nullptr;
}

MultiOp multi_op(Form& op) {
  constexpr std::array names{"create", "set", "delete", "check", "get", "children"};
  const Value* value = op.object().find(Field::op);
  if (value && value->kind == Value::Kind::string && value->text == "check") {
    Form form(op.object(), "check");
    form.allow_only(fields(Field::op, Field::path, Field::version));
    CheckRequest check{form.string(Field::path), form.version()};
    if (form.error()) op.fail(*form.error());
    return check;
  }

  const Operation* operation = operation_of(op);
  if (!operation) return {};
  if (std::ranges::find(names, operation->name) == names.end()) {
    op.fail("no place in a multi for op " + quoted(operation->name));
    return {};
  }
  Form form(op.object(), operation->name);
  form.allow_only((operation->allowed & ~read_fields_allowed) | fields(Field::op));
  Request request = operation->read(form);
  if (form.error()) {
    op.fail(*form.error());
    return {};
  }
  return std::visit(
      [](auto&& each) -> MultiOp {
        using T = std::decay_t<decltype(each)>;
        if constexpr (std::is_constructible_v<MultiOp, T>) {
          return std::move(each);
        } else {
          return {};
        }
      },
      std::move(request));
}

std::vector<MultiOp> multi_ops(Form& form) { return form.list<MultiOp>(Field::ops, multi_op); }

// Whether events will come under the request's id.
bool leaves_watch(const Request& request) {
  return std::visit(
      [](const auto& each) {
        if constexpr (requires { each.read.watch; }) return each.read.watch;
        return std::is_same_v<std::decay_t<decltype(each)>, WatchRequest>;
      },
      request);
}

ParsedRequest request_of(Fields& object) {
  if (!object.is_object) return BadRequest{{}, bad_arguments("a request must be an object")};

  Form envelope(object, "a request");
  const RequestId id = envelope.request_id(Field::id);
  const Operation* operation = operation_of(envelope);
  if (!operation) return BadRequest{id, *envelope.error()};

  Form form(object, operation->name);
  if (envelope.error()) form.fail(*envelope.error());
  form.allow_only(operation->allowed | fields(Field::op, Field::id, Field::encoding));
  ClientRequest request{id, form.encoding(), operation->read(form)};
  if (leaves_watch(request.request)) form.require(Field::id);  // Its events would have no name.
  if (form.error()) return BadRequest{id, *form.error()};
  return request;
}

// What stands in for the requests of a frame that none can be read from.
ParsedRequest refusal(FieldsOfFrame& frame) {
  using Fault = ParsedFrame::Fault;
  using Shape = FieldsOfFrame::Shape;
  // Of what came before the fault.
  const auto id_of_last = [&]() -> RequestId {
    if (frame.requests.empty()) return {};
    return Form(frame.requests.back(), "a request").request_id(Field::id);
  };
  const std::string at_byte = ", at byte " + std::to_string(frame.fault_at);
  switch (frame.fault) {
    case Fault::not_utf8: return BadRequest{{}, bad_arguments("not UTF-8")};
    // Of a list nothing is carried out, so that its last request is no more to blame than others.
    case Fault::not_json:
      return BadRequest{frame.is_list ? RequestId{} : id_of_last(),
                        bad_arguments("not JSON" + at_byte)};
    case Fault::not_cbor:
      return BadRequest{frame.is_list ? RequestId{} : id_of_last(),
                        bad_arguments("not CBOR" + at_byte + ": " + std::string(frame.fault_why))};
    case Fault::too_deep:
      return BadRequest{id_of_last(),
                        bad_arguments("nested deeper than " + std::to_string(nesting_max))};
    case Fault::too_large:
    case Fault::none: break;
  }
  if (frame.shape == Shape::too_many) {
    return BadRequest{{},
                      {ErrorCode::too_large, "a frame holds, and a multi has, at most " +
                                                 std::to_string(frame_requests_max) + " requests"}};
  }
  return BadRequest{{}, bad_arguments("a frame must be an object or a list of objects")};
}

}  // namespace

ParsedFrame frame_too_large(const ParsedFrame& parsed, std::size_t bytes, std::size_t bytes_max) {
  RequestId id;
  if (parsed.requests.size() == 1) {
    const ParsedRequest& only = parsed.requests.front();
    id = only ? only->id : only.error().id;
  }
  ParsedFrame refused;
  refused.fault = ParsedFrame::Fault::too_large;
  refused.requests.emplace_back(
      BadRequest{std::move(id),
                 {ErrorCode::too_large, "a frame of " + std::to_string(bytes) +
                                            " bytes, more than the " + std::to_string(bytes_max) +
                                            " that maxDataBytes leaves room for"}});
  return refused;
}

ParsedFrame requests_of(FieldsOfFrame&& frame) {
  ParsedFrame parsed;
  parsed.fault = frame.fault;
  if (frame.fault != ParsedFrame::Fault::none || frame.shape != FieldsOfFrame::Shape::requests) {
    parsed.requests.push_back(refusal(frame));
    return parsed;
  }
  parsed.requests.reserve(frame.requests.size());
  for (Fields& object : frame.requests) parsed.requests.push_back(request_of(object));
  return parsed;
}

}  // namespace wire
