#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "wire/bytes.h"

// The binary form of structs, for the log, checkpoints and messages between servers. Each struct
// has one list of its members, which both `write` and `read` follow, so the two cannot disagree.
// The specializations for a room's structs are in that room's archive_fields.h, or in the one file
// that uses them:
//
//   template <>
//   inline constexpr auto wire::archive::fields<session::Owner> =
//       std::tuple(&session::Owner::server, &session::Owner::connection);
namespace wire::archive {

struct Unlisted {};

// The members of a struct, in the order of its bytes: std::tuple(&T::a, &T::b).
template <class T>
inline constexpr Unlisted fields;

// The byte that identifies an alternative of a variant, not 0. Files and other versions of this
// program contain these bytes: never reuse a number for another type.
template <class T>
inline constexpr std::uint8_t kind = 0;

// The greatest value of an enum that is stored as one byte. Greater bytes are malformed.
template <class Enum>
inline constexpr Unlisted greatest;

template <class T>
void write(ByteWriter& out, const T& value);

// Returns an unspecified value if the bytes are malformed: check `in.failed()` afterwards.
template <class T>
[[nodiscard]] T read(ByteReader& in);

// How a type is written and read. The primary template is for structs with `fields`.
template <class T>
struct Form {
  static void write(ByteWriter& out, const T& value) {
    std::apply([&](auto... member) { (archive::write(out, value.*member), ...); }, fields<T>);
  }
  static T read(ByteReader& in) {
    T value;
    std::apply(
        [&](auto... member) {
          ((value.*member = archive::read<std::remove_cvref_t<decltype(value.*member)>>(in)), ...);
        },
        fields<T>);
    return value;
  }
};

template <std::integral T>
struct Form<T> {
  static void write(ByteWriter& out, T value) { out.integer(value); }
  static T read(ByteReader& in) { return in.integer<T>(); }
};

template <>
struct Form<bool> {
  static void write(ByteWriter& out, bool value) { out.boolean(value); }
  static bool read(ByteReader& in) { return in.boolean(); }
};

template <class T>
requires std::is_enum_v<T>
struct Form<T> {
  static void write(ByteWriter& out, T value) { out.integer(static_cast<std::uint8_t>(value)); }
  static T read(ByteReader& in) {
    const auto number = in.integer<std::uint8_t>();
    if (number > static_cast<std::uint8_t>(greatest<T>)) in.fail();
    return static_cast<T>(number);
  }
};

template <>
struct Form<std::string> {
  static void write(ByteWriter& out, const std::string& value) { out.string(value); }
  static std::string read(ByteReader& in) { return std::string(in.string()); }
};

template <>
struct Form<Epoch> {
  static void write(ByteWriter& out, Epoch value) { out.epoch(value); }
  static Epoch read(ByteReader& in) { return in.epoch(); }
};

template <>
struct Form<Zxid> {
  static void write(ByteWriter& out, Zxid value) { out.zxid(value); }
  static Zxid read(ByteReader& in) { return in.zxid(); }
};

template <std::size_t size>
struct Form<std::array<std::uint8_t, size>> {
  using Array = std::array<std::uint8_t, size>;
  static void write(ByteWriter& out, const Array& value) {
    for (const std::uint8_t byte : value) out.integer(byte);
  }
  static Array read(ByteReader& in) {
    Array value;
    for (std::uint8_t& byte : value) byte = in.integer<std::uint8_t>();
    return value;
  }
};

template <class T>
struct Form<std::optional<T>> {
  static void write(ByteWriter& out, const std::optional<T>& value) {
    out.boolean(value.has_value());
    if (value) archive::write(out, *value);
  }
  static std::optional<T> read(ByteReader& in) {
    if (!in.boolean()) return std::nullopt;
    return archive::read<T>(in);
  }
};

// Never null.
template <class T>
struct Form<std::shared_ptr<const T>> {
  static void write(ByteWriter& out, const std::shared_ptr<const T>& value) {
    archive::write(out, *value);
  }
  static std::shared_ptr<const T> read(ByteReader& in) {
    return std::make_shared<const T>(archive::read<T>(in));
  }
};

template <class T>
struct Form<std::vector<T>> {
  static void write(ByteWriter& out, const std::vector<T>& values) {
    out.integer(static_cast<std::uint32_t>(values.size()));
    for (const T& value : values) archive::write(out, value);
  }
  // Reserves nothing: a malformed count may be far greater than the number of elements.
  static std::vector<T> read(ByteReader& in) {
    std::vector<T> values;
    for (auto left = in.integer<std::uint32_t>(); left > 0 && !in.failed(); --left) {
      values.push_back(archive::read<T>(in));
    }
    return values;
  }
};

template <class T>
inline constexpr bool is_variant = false;
template <class... Alternatives>
inline constexpr bool is_variant<std::variant<Alternatives...>> = true;

// A byte, the alternative's `kind`, comes first. A variant within a variant adds no byte: its
// alternatives count as the outer variant's.
template <class... Alternatives>
struct Form<std::variant<Alternatives...>> {
  using Variant = std::variant<Alternatives...>;

  // How many alternatives have this kind.
  static constexpr int count(std::uint8_t number) {
    return ([&] {
      if constexpr (is_variant<Alternatives>) {
        return Form<Alternatives>::count(number);
      } else {
        return kind<Alternatives> == number ? 1 : 0;
      }
    }() + ...);
  }

  static constexpr bool kinds_differ() {
    if (count(0) != 0) return false;
    for (int number = 1; number <= 255; ++number) {
      if (count(static_cast<std::uint8_t>(number)) > 1) return false;
    }
    return true;
  }

  static void write(ByteWriter& out, const Variant& value) {
    static_assert(kinds_differ());
    std::visit(
        [&]<class Alternative>(const Alternative& alternative) {
          if constexpr (!is_variant<Alternative>) out.integer(kind<Alternative>);
          archive::write(out, alternative);
        },
        value);
  }

  static Variant read(ByteReader& in) {
    static_assert(kinds_differ());
    Variant value;
    if (!read_kind(in.integer<std::uint8_t>(), in, value)) in.fail();
    return value;
  }

  // Reads the alternative of this kind, if there is one.
  static bool read_kind(std::uint8_t number, ByteReader& in, Variant& value) {
    return (read_if<Alternatives>(number, in, value) || ...);
  }

 private:
  template <class Alternative>
  static bool read_if(std::uint8_t number, ByteReader& in, Variant& value) {
    if constexpr (is_variant<Alternative>) {
      Alternative inner;
      if (!Form<Alternative>::read_kind(number, in, inner)) return false;
      value = std::move(inner);
    } else {
      if (number != kind<Alternative>) return false;
      value = archive::read<Alternative>(in);
    }
    return true;
  }
};

template <class T>
void write(ByteWriter& out, const T& value) {
  Form<T>::write(out, value);
}

template <class T>
T read(ByteReader& in) {
  return Form<T>::read(in);
}

}  // namespace wire::archive
