#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "wire/request_fields.h"

// The names of all fields of requests, made from their lists when this is compiled, so that a field
// of a parsed request is a small number.
namespace wire {

// A place among the names, which are in alphabetical order.
enum class FieldId : std::uint8_t {};

using FieldSet = std::uint64_t;

class FieldNames {
 public:
  static constexpr std::size_t count_max = 64;  // the bits of a FieldSet

  constexpr void add(std::string_view name) {
    std::string_view* const end = names_.data() + count_;
    std::string_view* const at = std::lower_bound(names_.data(), end, name);
    if (at != end && *at == name) return;
    std::copy_backward(at, end, end + 1);
    *at = name;
    ++count_;
  }
  [[nodiscard]] constexpr std::optional<FieldId> find(std::string_view name) const {
    const std::string_view* const end = names_.data() + count_;
    const std::string_view* const at = std::lower_bound(names_.data(), end, name);
    if (at == end || *at != name) return std::nullopt;
    return static_cast<FieldId>(at - names_.data());
  }
  [[nodiscard]] constexpr std::string_view operator[](FieldId id) const {
    return names_[static_cast<std::size_t>(id)];
  }

 private:
  std::array<std::string_view, count_max> names_{};
  std::size_t count_ = 0;
};

// Calls `visit` with each named field of T's list, those of embedded structs too.
template <HasFields T, class Visit>
constexpr void for_each_named_field(Visit visit) {
  for_each_field<T>([&]<class Place>(Place) {
    constexpr auto field = std::get<Place::value>(fields_of<T>);
    if constexpr (requires { field.name; }) {
      visit(field);
    } else {
      for_each_named_field<std::remove_cvref_t<decltype(std::declval<T>().*field.member)>>(visit);
    }
  });
}

// Whether a member's field is an object or a list of objects.
template <class Member>
inline constexpr bool is_structured = std::is_same_v<Member, Consistency> || HasFields<Member>;
template <class Member>
inline constexpr bool is_structured<std::optional<Member>> = is_structured<Member>;
template <class Item>
inline constexpr bool is_structured<std::vector<Item>> = true;

// Calls `visit` with each named field of all requests and of the records that they contain. Those
// of the envelope are not among them.
template <class Visit>
constexpr void for_each_request_field(Visit visit) {
  [&]<class... Requests, class... Ops>(std::type_identity<std::variant<Requests...>>,
                                       std::type_identity<std::variant<Ops...>>) {
    (for_each_named_field<Requests>(visit), ...);
    (for_each_named_field<Ops>(visit), ...);
  }(std::type_identity<Request>{}, std::type_identity<MultiOp>{});
  for_each_named_field<AclEntry>(visit);
  for_each_named_field<AtLeast>(visit);
  for_each_named_field<TurnOptions>(visit);
  for_each_named_field<Condition>(visit);
}

inline constexpr FieldNames field_names = [] {
  FieldNames names;
  // The envelope of every request, and the other name of a field `data`.
  for (const char* name : {"op", "id", "encoding", "data64"}) names.add(name);
  names.add(conditions_name);
  for_each_request_field([&](const auto& field) { names.add(field.name); });
  return names;
}();

[[nodiscard]] constexpr std::string_view name(FieldId id) { return field_names[id]; }
// `name` must be a field's name.
[[nodiscard]] consteval FieldId field_id(std::string_view name) {
  return field_names.find(name).value();
}
[[nodiscard]] constexpr FieldSet set_of(FieldId id) {
  return FieldSet{1} << static_cast<unsigned>(id);
}

// The fields that an object for a T may have.
template <HasFields T>
inline constexpr FieldSet allowed_fields = [] {
  FieldSet set = 0;
  for_each_named_field<T>([&](const auto& field) {
    set |= set_of(*field_names.find(field.name));
    if (field.name == "data") set |= set_of(field_id("data64"));
  });
  return set;
}();

// The fields whose objects and lists a reader needs. In any other field they are an error.
inline constexpr FieldSet structured_fields = [] {
  FieldSet set = set_of(field_id(conditions_name));
  for_each_request_field([&]<class S, class M, As as>(const Field<S, M, as>& field) {
    if (is_structured<M>) set |= set_of(*field_names.find(field.name));
  });
  return set;
}();

// The fields that are lists of strings.
inline constexpr FieldSet text_lists = [] {
  FieldSet set = 0;
  for_each_request_field([&]<class S, class M, As as>(const Field<S, M, as>& field) {
    if (std::is_same_v<M, std::vector<std::string>>) set |= set_of(*field_names.find(field.name));
  });
  return set;
}();

}  // namespace wire
