#include "wire/object_reader.h"

#include <algorithm>

#include "wire/base64.h"
#include "wire/json_text.h"

namespace wire {

std::string quoted(std::string_view text) {
  constexpr std::size_t bytes_max = 64;
  if (text.size() <= bytes_max) return '"' + std::string(text) + '"';
  std::size_t end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return '"' + std::string(text.substr(0, end)) + "…\"";
}

void ObjectReader::allow_only(FieldSet allowed) {
  const auto fail_unknown = [&](std::string_view field) {
    fail("unknown field " + quoted(field) + " in " + std::string(what_));
  };
  if (object_.format == Format::cbor) allowed &= ~set_of(field_id("data64"));
  if (object_.duplicate) fail("duplicate field " + quoted(name(*object_.duplicate)));
  if (object_.unknown) fail_unknown(*object_.unknown);
  for (const RawField& field : object_.fields) {
    if ((set_of(field.id) & allowed) == 0) fail_unknown(name(field.id));
  }
}

FieldSet ObjectReader::fields() const {
  FieldSet fields = 0;
  for (const RawField& field : object_.fields) fields |= set_of(field.id);
  return fields;
}

void ObjectReader::require(FieldId id) {
  if (!has(id)) fail("missing field " + quoted(name(id)));
}

void ObjectReader::fail_value(FieldId id, std::string_view must_be) {
  fail("field " + quoted(name(id)) + " must be " + std::string(must_be));
}

RawValue* ObjectReader::typed(FieldId id, RawValue::Kind kind, std::string_view must_be) {
  RawValue* value = object_.find(id);
  if (!value || value->kind == kind) return value;
  fail_value(id, must_be);
  return nullptr;
}

std::string ObjectReader::string(FieldId id) {
  RawValue* value = typed(id, RawValue::Kind::string, "a string");
  return value ? std::move(value->text) : std::string();
}

std::int64_t ObjectReader::integer(FieldId id, std::int64_t min, std::int64_t max) {
  const RawValue* value = object_.find(id);
  if (!value) return 0;
  using Kind = RawValue::Kind;
  // A `number` is a fraction, or an integer of more than 64 bits.
  const bool too_long =
      value->kind == Kind::number && value->text.find_first_of(".eE") == std::string::npos;
  const bool fits = value->integer >= min && value->integer <= max;
  if (value->kind == Kind::integer && fits) return value->integer;
  if (value->kind == Kind::integer || too_long) {
    fail_value(id, "between " + std::to_string(min) + " and " + std::to_string(max));
  } else {
    fail_value(id, "an integer");
  }
  return 0;
}

std::uint64_t ObjectReader::hex(FieldId id) {
  const RawValue* value = object_.find(id);
  if (!value) return 0;
  const auto bits = value->kind == RawValue::Kind::string ? from_hex(value->text) : std::nullopt;
  if (!bits) fail_value(id, "a string of 16 lower-case hex digits");
  return bits.value_or(0);
}

RequestId ObjectReader::request_id(FieldId field) {
  const RawValue* value = object_.find(field);
  if (!value) return {};
  RequestId id;
  switch (value->kind) {
    case RawValue::Kind::integer: json::append_integer(value->integer, id.json); break;
    case RawValue::Kind::number: id.json = value->text; break;
    case RawValue::Kind::string: json::append_string(value->text, id.json); break;
    default: fail_value(field, "a number or a string");
  }
  if (id.json.size() <= id_bytes_max) return id;
  fail_value(field, "at most " + std::to_string(id_bytes_max) + " bytes long");
  return {};
}

Bytes ObjectReader::data() {
  constexpr FieldId data = field_id("data");
  constexpr FieldId data64 = field_id("data64");
  if (has(data) && has(data64)) fail("fields \"data\" and \"data64\" exclude each other");
  if (!has(data64)) {
    RawValue* value = object_.format == Format::cbor
                          ? typed(data, RawValue::Kind::bytes, "a byte string")
                          : typed(data, RawValue::Kind::string, "a string");
    return value ? std::move(value->text) : Bytes{};
  }
  std::optional<Bytes> bytes = from_base64(string(data64));
  if (!bytes) fail_value(data64, "base64, padded and without whitespace");
  return std::move(bytes).value_or(Bytes{});
}

std::uint8_t ObjectReader::perms(FieldId id) {
  const auto perms = perms_of(string(id));
  if (!perms) {
    fail({ErrorCode::invalid_acl, "field \"perms\" must be letters out of \"cdrwa\""});
  }
  return perms.value_or(std::uint8_t{0});
}

std::size_t ObjectReader::choice(FieldId id, std::span<const std::string_view> names) {
  const RawValue* value = object_.find(id);
  if (!value) return 0;
  if (value->kind == RawValue::Kind::string) {
    const auto found = std::ranges::find(names, value->text);
    if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
  }
  std::string one_of;
  for (const std::string_view each : names) {
    if (!one_of.empty()) one_of += " or ";
    one_of += quoted(each);
  }
  fail_value(id, one_of);
  return 0;
}

void ObjectReader::read_item(std::string& text) {
  const bool is_string =
      !object_.fields.empty() && object_.fields.front().value.kind == RawValue::Kind::string;
  if (object_.is_object || !is_string) return fail("must be a string");
  text = std::move(object_.fields.front().value.text);
}

Consistency ObjectReader::consistency(FieldId id) {
  RawValue* value = object_.find(id);
  if (!value) return SessionConsistency{};
  if (value->kind == RawValue::Kind::string && value->text == "session") {
    return SessionConsistency{};
  }
  if (value->kind == RawValue::Kind::string && value->text == "linearizable") return Linearizable{};
  if (value->kind != RawValue::Kind::object) {
    fail_value(id, R"("session", "linearizable" or {"atLeast": zxid})");
    return SessionConsistency{};
  }
  ObjectReader inside(value->items.front(), "consistency");
  AtLeast at_least;
  inside.read_item(at_least);
  if (inside.error_) fail(inside.error_->message);
  return at_least;
}

}  // namespace wire
