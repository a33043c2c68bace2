#include <algorithm>
#include <array>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

#include "wire/leaves_watch.h"
#include "wire/object_reader.h"
#include "wire/path.h"
#include "wire/raw_frame.h"
#include "wire/request_fields.h"

namespace wire {
namespace {

constexpr FieldId conditions_field = field_id(conditions_name);
constexpr FieldSet envelope_fields =
    set_of(field_id("op")) | set_of(field_id("id")) | set_of(field_id("encoding"));

Error bad_arguments(std::string message) { return {ErrorCode::bad_arguments, std::move(message)}; }

// --- Operations ---

// How a Variant (Request or MultiOp) is read, for one value of `op`.
template <class Variant>
struct Operation {
  std::string_view name;
  FieldSet allowed;
  bool is_guarded;  // it can have conditions: it changes the tree
  Variant (*read)(ObjectReader& object);
};

template <class T>
constexpr bool is_guarded = std::is_same_v<T, CreateRequest> || std::is_same_v<T, SetRequest> ||
                            std::is_same_v<T, DeleteRequest> || std::is_same_v<T, SetAclRequest> ||
                            std::is_same_v<T, MultiRequest>;

// `exists: false` is a test of a node that is not there: no other can hold with it.
void check_tests(ObjectReader& object, FieldSet tests) {
  constexpr FieldId exists = field_id("exists");
  if (!object.has(exists) || object.value<bool>(exists)) return;
  if ((tests & ~set_of(exists)) == 0) return;
  object.fail("a node that must not exist cannot have other tests");
}

// The fields of the object that are tests of a node.
FieldSet tests_of(const ObjectReader& object) {
  constexpr FieldSet tests = allowed_fields<Condition> & ~set_of(field_id("path"));
  return object.fields() & tests;
}

// Rules about several fields of a request, which its list of fields cannot express.
void check_together(ObjectReader&, const auto&) {}
void check_together(ObjectReader& object, const CheckRequest&) {
  check_tests(object, tests_of(object));
}
void check_together(ObjectReader& object, const MultiRequest&) {
  if (object.has(field_id("else"))) object.require(conditions_field);
}
void check_together(ObjectReader& object, const CreateRequest&) {
  constexpr FieldId sequential = field_id("sequential");
  if (!object.has(field_id("turn"))) return;
  if (!object.has(sequential) || !object.value<bool>(sequential)) {
    object.fail("only a sequential create has a turn: set \"sequential\"");
  }
}
void check_together(ObjectReader& object, const ConnectRequest&) {
  if (object.has(field_id("session"))) object.require(field_id("password"));
  if (object.has(field_id("password"))) object.require(field_id("session"));
}

// Rules about the values of a request.
void check_values(ObjectReader&, const auto&) {}
void check_values(ObjectReader& object, const TurnOptions& turn) {
  constexpr FieldId among = field_id("among");
  if (turn.limit < 1 || turn.limit > turn_limit_max) {
    object.fail_value(field_id("limit"), "between 1 and " + std::to_string(turn_limit_max));
  }
  const bool is_long = std::ranges::any_of(
      turn.among, [](const std::string& kind) { return kind.size() > turn_kind_bytes_max; });
  const bool is_empty = object.has(among) && turn.among.empty();
  if (is_empty || is_long || turn.among.size() > turn_kinds_max) {
    object.fail_value(among, "a list of 1 to " + std::to_string(turn_kinds_max) +
                                 " kinds of at most " + std::to_string(turn_kind_bytes_max) +
                                 " bytes");
  }
}
void check_values(ObjectReader& object, const WatchRequest& watch) {
  const bool is_turn = watch.scope == WatchScope::turn;
  if (is_turn) check_values(object, watch.turn);
  for (const FieldId field : {field_id("once"), field_id("withData")}) {
    if (is_turn && object.has(field)) {
      object.fail("a watch of a turn has no field " + quoted(name(field)));
    }
  }
  for (const FieldId field : {field_id("limit"), field_id("among")}) {
    if (!is_turn && object.has(field)) {
      object.fail("field " + quoted(name(field)) + " needs \"scope\":\"turn\"");
    }
  }
}

template <class Variant, class T>
constexpr Operation<Variant> operation() {
  return {op_name<T>, allowed_fields<T>, is_guarded<T>, [](ObjectReader& object) -> Variant {
            T request;
            check_together(object, request);
            object.read(request);
            check_values(object, request);
            return request;
          }};
}

template <class... Ts>
constexpr auto operations_of(std::type_identity<std::variant<Ts...>>) {
  return std::array{operation<std::variant<Ts...>, Ts>()...};
}

constexpr std::array requests = operations_of(std::type_identity<Request>{});
constexpr std::array multi_ops = operations_of(std::type_identity<MultiOp>{});

// Null if there is none of that name.
template <class Operations>
const typename Operations::value_type* find(const Operations& operations, std::string_view name) {
  const auto found = std::ranges::find(operations, name, &Operations::value_type::name);
  return found == operations.end() ? nullptr : &*found;
}

// The operation that `op` names. Null, and `object` has an error, if there is none.
const Operation<Request>* request_operation(ObjectReader& object, std::string_view op) {
  if (object.error()) return nullptr;
  const auto* operation = find(requests, op);
  if (!operation) object.fail("unknown op " + quoted(op));
  return operation;
}

std::string read_op(ObjectReader& object) {
  object.require(field_id("op"));
  return object.value<std::string>(field_id("op"));
}

}  // namespace

void ObjectReader::read_item(Condition& condition) {
  allow_only(allowed_fields<Condition>);
  const FieldSet tests = tests_of(*this);
  if (tests == 0)
    fail(
        "at least one test is needed: version, exists, czxid, mzxid, "
        "ephemeralOwner, data");
  check_tests(*this, tests);
  read(condition);
  if (error()) return;
  if (const auto valid = validate_path(condition.path); !valid) fail(valid.error());
}

void ObjectReader::read_item(TurnOptions& turn) {
  allow_only(allowed_fields<TurnOptions>);
  read(turn);
  check_values(*this, turn);
}

void ObjectReader::read_item(MultiOp& op) {
  const std::string name = read_op(*this);
  const auto* operation = find(multi_ops, name);
  if (!operation) {
    if (request_operation(*this, name)) fail("no place in a multi for op " + wire::quoted(name));
    return;
  }
  what_ = operation->name;
  if (name == op_name<CreateRequest> && has(field_id("turn"))) {
    fail("a multi tells no turns: send the create alone");
  }
  // A multi is read as a whole, and leaves no watches.
  allow_only((operation->allowed & ~allowed_fields<ReadOptions>) | set_of(field_id("op")));
  op = operation->read(*this);
}

namespace {

// --- Requests ---

std::vector<Condition> read_conditions(ObjectReader& object) {
  auto conditions = object.value<std::vector<Condition>>(conditions_field);
  if (!object.has(conditions_field) || object.error()) return {};
  if (conditions.empty() || conditions.size() > conditions_max) {
    object.fail_value(conditions_field,
                      "a list of 1 to " + std::to_string(conditions_max) + " conditions");
  }
  return conditions;
}

}  // namespace

ParsedRequest request_of(RawObject& raw) {
  if (!raw.is_object) return BadRequest{{}, bad_arguments("a request must be an object")};

  ObjectReader envelope(raw, "a request");
  const auto id = envelope.value<RequestId>(field_id("id"));
  const std::string op = read_op(envelope);
  const auto* operation = request_operation(envelope, op);
  if (!operation) return BadRequest{id, *envelope.error()};

  ObjectReader object(raw, operation->name);
  object.allow_only(operation->allowed | envelope_fields |
                    (operation->is_guarded ? set_of(conditions_field) : 0));
  const auto encoding = object.value<Encoding>(field_id("encoding"));
  ClientRequest request{id, encoding, operation->read(object), read_conditions(object)};
  if (leaves_watch(request.request)) object.require(field_id("id"));
  if (object.error()) return BadRequest{id, *object.error()};
  return request;
}

namespace {

// --- Frames ---

// The refusal of a frame from which no request can be read.
BadRequest refusal(RawFrame& frame) {
  using Fault = ParsedFrame::Fault;
  using Shape = RawFrame::Shape;
  // The id of the last request that began before the fault. For a list the refusal has no id,
  // because none of its requests is carried out.
  const auto last_id = [&] {
    return ObjectReader(frame.open, "a request").value<RequestId>(field_id("id"));
  };
  const std::string at_byte =
      frame.fault_at == 0 ? "" : ", at byte " + std::to_string(frame.fault_at);
  switch (frame.fault) {
    case Fault::not_utf8: return {{}, bad_arguments("not UTF-8")};
    case Fault::not_json:
      return {frame.is_list ? RequestId{} : last_id(), bad_arguments("not JSON" + at_byte)};
    case Fault::not_cbor:
      return {frame.is_list ? RequestId{} : last_id(),
              bad_arguments("not CBOR" + at_byte + ": " + std::string(frame.fault_why))};
    case Fault::too_deep:
      return {last_id(), bad_arguments("nested deeper than " + std::to_string(nesting_max))};
    case Fault::too_large:
      return {frame.is_list ? RequestId{} : last_id(),
              {ErrorCode::too_large,
               "the frame takes more memory than 8 times its length and 12 MiB: send fewer "
               "requests, or fewer operations of a multi, in one frame"}};
    case Fault::none: break;
  }
  if (frame.shape == Shape::too_many) {
    return {{},
            {ErrorCode::too_large, "a frame holds, and a multi has, at most " +
                                       std::to_string(frame_requests_max) + " requests"}};
  }
  return {{}, bad_arguments("a frame must be an object or a list of objects")};
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

// Next: Intake::take (server/pipeline/intake.cc), in a server. Pipeline::received gives it each
// request.
ParsedFrame requests_of(RawFrame&& frame) {
  ParsedFrame parsed;
  parsed.fault = frame.fault;
  if (frame.fault != ParsedFrame::Fault::none || frame.shape != RawFrame::Shape::requests) {
    parsed.requests.emplace_back(refusal(frame));
    return parsed;
  }
  parsed.requests = std::move(frame.requests);
  return parsed;
}

}  // namespace wire
