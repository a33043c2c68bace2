#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

// Each request, reply and record of the protocol has one list of its fields: request_fields.h and
// reply_fields.h. All that reads or writes these structs follows the lists: JSON, CBOR and the
// binary form (archive.h), on the server and on the client.
namespace wire {

// When a field is written, and what its absence means to a reader.
enum class Presence : std::uint8_t {
  required,   // always written; an object without it is malformed
  defaulted,  // always written; where it is absent, the member keeps its default
  optional,   // written unless the member has its default
  nullable,   // always written, as null if the std::optional is empty
};

// How a member is written, if its type does not decide it.
enum class As : std::uint8_t {
  its_type,
  data,   // a znode's bytes: `data` or, in JSON, `data64`
  perms,  // the bits of AclEntry::perms, as letters
};

template <class Struct, class Member, As as = As::its_type>
struct Field {
  std::string_view name;
  Member Struct::*member;
  Presence presence;
  // The field is required in structs of which this holds, given the fields before it. May be null.
  bool (*required_if)(const Struct&) = nullptr;

  [[nodiscard]] constexpr bool is_required(const Struct& value) const {
    return presence == Presence::required || presence == Presence::nullable ||
           (required_if != nullptr && required_if(value));
  }
};

// The fields of a member that is a struct, among those of the struct that has it.
template <class Struct, class Member>
struct Embedded {
  Member Struct::*member;
};

template <class S, class M>
constexpr Field<S, M> required(std::string_view name, M S::*member) {
  return {name, member, Presence::required};
}
template <class S, class M>
constexpr Field<S, M> defaulted(std::string_view name, M S::*member,
                                std::type_identity_t<bool (*)(const S&)> required_if = nullptr) {
  return {name, member, Presence::defaulted, required_if};
}
template <class S, class M>
constexpr Field<S, M> optional(std::string_view name, M S::*member,
                               std::type_identity_t<bool (*)(const S&)> required_if = nullptr) {
  return {name, member, Presence::optional, required_if};
}
template <class S, class M>
constexpr Field<S, M> nullable(std::string_view name, M S::*member) {
  return {name, member, Presence::nullable};
}
template <class S, class M>
constexpr Field<S, M, As::data> data(M S::*member, Presence presence) {
  return {"data", member, presence};
}
template <class S, class M>
constexpr Field<S, M, As::perms> perms(std::string_view name, M S::*member) {
  return {name, member, Presence::required};
}
template <class S, class M>
constexpr Embedded<S, M> embedded(M S::*member) {
  return {member};
}

struct NoFieldList {};

// A std::tuple of Field and Embedded, in the order in which they are written and checked.
template <class T>
inline constexpr NoFieldList fields_of;

template <class T>
concept HasFields = !std::is_same_v<std::remove_cvref_t<decltype(fields_of<T>)>, NoFieldList>;

// Calls `visit` with the place of each field of T's list, as a std::integral_constant.
template <HasFields T, class Visit>
constexpr void for_each_field(Visit visit) {
  constexpr std::size_t count = std::tuple_size_v<std::remove_cvref_t<decltype(fields_of<T>)>>;
  [&]<std::size_t... place>(std::index_sequence<place...>) {
    (visit(std::integral_constant<std::size_t, place>{}), ...);
  }
  (std::make_index_sequence<count>{});
}

}  // namespace wire
