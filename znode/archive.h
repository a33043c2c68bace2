#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "wire/bytes.h"
#include "wire/records.h"

// Structs as bytes, from one list of their members: written and read in the same order, so that the
// two cannot disagree.
namespace znode::archive {

struct Unlisted {};

// The members of a struct, in the order of its bytes: std::tuple(&T::a, &T::b).
template <class T>
inline constexpr Unlisted fields;

// The byte by which an alternative of a variant is known. Bytes outlive programs: a number is
// never given to something else.
template <class T>
inline constexpr std::uint8_t kind = 0;

template <class T>
void put(wire::ByteWriter& out, const T& value);
template <class T>
T take(wire::ByteReader& in);

namespace detail {

// Asking for more than there is makes a reader one that failed.
inline void fail(wire::ByteReader& in) { static_cast<void>(in.raw(in.remaining() + 1)); }

template <class... Alternatives>
constexpr bool kinds_differ() {
  const std::array<std::uint8_t, sizeof...(Alternatives)> kinds{kind<Alternatives>...};
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    if (kinds[i] == 0) return false;
    for (std::size_t j = 0; j < i; ++j) {
      if (kinds[i] == kinds[j]) return false;
    }
  }
  return true;
}

// How a type that is not simply a list of members is put and taken.
template <class T>
struct Form {
  static void put(wire::ByteWriter& out, const T& value) {
    std::apply([&](auto... member) { (archive::put(out, value.*member), ...); }, fields<T>);
  }
  static T take(wire::ByteReader& in) {
    T value;
    std::apply(
        [&](auto... member) {
          ((value.*member = archive::take<std::remove_cvref_t<decltype(value.*member)>>(in)), ...);
        },
        fields<T>);
    return value;
  }
};

template <std::integral T>
struct Form<T> {
  static void put(wire::ByteWriter& out, T value) { out.integer(value); }
  static T take(wire::ByteReader& in) { return in.integer<T>(); }
};

template <>
struct Form<bool> {
  static void put(wire::ByteWriter& out, bool value) { out.boolean(value); }
  static bool take(wire::ByteReader& in) { return in.boolean(); }
};

template <>
struct Form<std::string> {
  static void put(wire::ByteWriter& out, const std::string& value) { out.string(value); }
  static std::string take(wire::ByteReader& in) { return std::string(in.string()); }
};

template <>
struct Form<wire::Zxid> {
  static void put(wire::ByteWriter& out, wire::Zxid value) { out.zxid(value); }
  static wire::Zxid take(wire::ByteReader& in) { return in.zxid(); }
};

template <std::size_t size>
struct Form<std::array<std::uint8_t, size>> {
  using Array = std::array<std::uint8_t, size>;
  static void put(wire::ByteWriter& out, const Array& value) {
    for (const std::uint8_t byte : value) out.integer(byte);
  }
  static Array take(wire::ByteReader& in) {
    Array value;
    for (std::uint8_t& byte : value) byte = in.integer<std::uint8_t>();
    return value;
  }
};

template <class T>
struct Form<std::optional<T>> {
  static void put(wire::ByteWriter& out, const std::optional<T>& value) {
    out.boolean(value.has_value());
    if (value) archive::put(out, *value);
  }
  static std::optional<T> take(wire::ByteReader& in) {
    if (!in.boolean()) return std::nullopt;
    return archive::take<T>(in);
  }
};

template <class T>
struct Form<std::vector<T>> {
  static void put(wire::ByteWriter& out, const std::vector<T>& values) {
    out.integer(static_cast<std::uint32_t>(values.size()));
    for (const T& value : values) archive::put(out, value);
  }
  // Nothing is reserved for a count that the bytes may not hold.
  static std::vector<T> take(wire::ByteReader& in) {
    std::vector<T> values;
    for (auto left = in.integer<std::uint32_t>(); left > 0 && !in.failed(); --left) {
      values.push_back(archive::take<T>(in));
    }
    return values;
  }
};

template <class... Alternatives>
struct Form<std::variant<Alternatives...>> {
  static_assert(kinds_differ<Alternatives...>());
  using Variant = std::variant<Alternatives...>;

  static void put(wire::ByteWriter& out, const Variant& value) {
    std::visit(
        [&](const auto& alternative) {
          out.integer(kind<std::remove_cvref_t<decltype(alternative)>>);
          archive::put(out, alternative);
        },
        value);
  }
  static Variant take(wire::ByteReader& in) {
    Variant value;
    const auto number = in.integer<std::uint8_t>();
    const bool known =
        ((number == kind<Alternatives> && (value = archive::take<Alternatives>(in), true)) || ...);
    if (!known) fail(in);
    return value;
  }
};

}  // namespace detail

template <class T>
void put(wire::ByteWriter& out, const T& value) {
  detail::Form<T>::put(out, value);
}

// Of bytes that are none, whatever comes: ask `in` whether it failed.
template <class T>
T take(wire::ByteReader& in) {
  return detail::Form<T>::take(in);
}

template <>
inline constexpr auto fields<wire::SessionId> = std::tuple(&wire::SessionId::value);

}  // namespace znode::archive
