#pragma once

#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "wire/error.h"
#include "wire/raw_frame.h"
#include "wire/request_fields.h"

namespace wire {

// `text` in quotes, for messages; only the beginning if it is long.
[[nodiscard]] std::string quoted(std::string_view text);

// Reads the fields of one parsed object into the members of a struct. Keeps the first error; the
// values that are read after it have no meaning.
class ObjectReader {
 public:
  // Messages name the object `what`, e.g. "create".
  ObjectReader(RawObject& object, std::string_view what) : object_(object), what_(what) {}

  // Fails if there are other fields, or one that came twice.
  void allow_only(FieldSet allowed);
  [[nodiscard]] bool has(FieldId id) const { return object_.find(id) != nullptr; }
  // All fields that are there.
  [[nodiscard]] FieldSet fields() const;
  // Fails if the field is absent.
  void require(FieldId id);

  // Reads all fields of T's list, in its order.
  template <HasFields T>
  void read(T& value) {
    for_each_field<T>([&]<class Place>(Place) {
      constexpr auto& field = std::get<Place::value>(fields_of<T>);
      if constexpr (requires { field.name; }) {
        read_field<field_id(field.name)>(field, value);
      } else {
        read(value.*field.member);
      }
    });
  }

  // The value of a field, or T{} if it is absent.
  template <class T>
  T value(FieldId id);

  void fail(Error error) {
    if (!error_) error_ = std::move(error);
  }
  void fail(std::string message) { fail(Error{ErrorCode::bad_arguments, std::move(message)}); }
  // Fails with: field "id" must be ...
  void fail_value(FieldId id, std::string_view must_be);
  [[nodiscard]] const std::optional<Error>& error() const { return error_; }
  [[nodiscard]] RawObject& object() { return object_; }

 private:
  template <FieldId id, class S, class M, As as>
  void read_field(const Field<S, M, as>& field, S& value) {
    const bool is_there = has(id) || (as == As::data && has(field_id("data64")));
    if (!is_there && field.is_required(value)) return require(id);
    if (!is_there) return;
    if constexpr (as == As::data) {
      value.*field.member = data();
    } else if constexpr (as == As::perms) {
      value.*field.member = perms(id);
    } else {
      value.*field.member = this->value<M>(id);
    }
  }

  // A list of objects, each read into a T.
  template <class T>
  std::vector<T> list(FieldId id);
  // How an element of a list is read: all fields of its list, and no others.
  template <HasFields T>
  void read_item(T& item) {
    allow_only(allowed_fields<T>);
    read(item);
  }
  void read_item(std::string& text);
  void read_item(MultiOp& op);
  void read_item(Condition& condition);
  void read_item(TurnOptions& turn);

  // Null if the field is absent, or of another kind, which is an error.
  RawValue* typed(FieldId id, RawValue::Kind kind, std::string_view must_be);
  std::string string(FieldId id);
  std::int64_t integer(FieldId id, std::int64_t min, std::int64_t max);
  std::uint64_t hex(FieldId id);
  RequestId request_id(FieldId id);
  Bytes data();
  std::uint8_t perms(FieldId id);
  // The place of the value among `names`.
  std::size_t choice(FieldId id, std::span<const std::string_view> names);
  Consistency consistency(FieldId id);

  RawObject& object_;
  std::string_view what_;
  std::optional<Error> error_;
};

namespace detail {

template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;
template <class T>
inline constexpr bool is_vector = false;
template <class T>
inline constexpr bool is_vector<std::vector<T>> = true;

}  // namespace detail

template <class T>
T ObjectReader::value(FieldId id) {
  if constexpr (detail::is_optional<T>) {
    return has(id) ? T(value<typename T::value_type>(id)) : std::nullopt;
  } else if constexpr (detail::is_vector<T>) {
    return list<typename T::value_type>(id);
  } else if constexpr (std::same_as<T, std::string>) {
    return string(id);
  } else if constexpr (std::same_as<T, bool>) {
    const RawValue* value = typed(id, RawValue::Kind::boolean, "true or false");
    return value && value->boolean;
  } else if constexpr (std::integral<T>) {
    static_assert(sizeof(T) < 8 || std::is_signed_v<T>, "a RawValue has no other integers");
    using Limits = std::numeric_limits<T>;
    return static_cast<T>(integer(id, Limits::min(), Limits::max()));
  } else if constexpr (std::is_enum_v<T>) {
    return static_cast<T>(choice(id, names_of<T>));
  } else if constexpr (std::same_as<T, Zxid>) {
    return Zxid::from_bits(hex(id));
  } else if constexpr (std::same_as<T, SessionId>) {
    return {hex(id)};
  } else if constexpr (std::same_as<T, RequestId>) {
    return request_id(id);
  } else if constexpr (HasFields<T>) {
    T result;
    RawValue* value = typed(id, RawValue::Kind::object, "an object");
    if (!value) return result;
    ObjectReader inside(value->items.front(), name(id));
    inside.read_item(result);
    if (inside.error_) fail(*inside.error_);
    return result;
  } else {
    static_assert(std::same_as<T, Consistency>);
    return consistency(id);
  }
}

template <class T>
std::vector<T> ObjectReader::list(FieldId id) {
  std::vector<T> result;
  RawValue* value = typed(id, RawValue::Kind::array, "a list");
  if (!value) return result;
  result.reserve(value->items.size());
  for (RawObject& item : value->items) {
    ObjectReader reader(item, name(id));
    if (!item.is_object && !std::same_as<T, std::string>) reader.fail("must be an object");
    reader.read_item(result.emplace_back());
    if (reader.error_) {
      const std::string place =
          std::string(name(id)) + '[' + std::to_string(result.size() - 1) + ']';
      fail({reader.error_->code, place + ": " + reader.error_->message});
      break;
    }
  }
  return result;
}

}  // namespace wire
