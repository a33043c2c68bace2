#include "wire/cbor_text.h"

#include <bit>
#include <charconv>

#include <nlohmann/json.hpp>

#include "wire/cbor.h"
#include "wire/ensure.h"
#include "wire/zxid.h"

namespace wire::cbor {
namespace {

constexpr std::size_t map_fields_max = 23;  // as many as fit in the first byte

void append_number(double value, std::string& out) {
  out.push_back('\xfb');
  const auto bits = std::bit_cast<std::uint64_t>(value);
  for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<char>(bits >> shift));
}

// Appends an integer of up to 64 bits and a sign. False if `digits` is not one.
bool append_whole_number(std::string_view digits, std::string& out) {
  const bool negative = digits.starts_with('-');
  if (negative) digits.remove_prefix(1);
  std::uint64_t magnitude = 0;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), magnitude);
  if (error != std::errc{} || end != digits.data() + digits.size()) return false;
  if (negative && magnitude > 0) {
    append_head(Major::negative, magnitude - 1, out);
  } else {
    append_head(Major::positive, magnitude, out);
  }
  return true;
}

}  // namespace

void append_head(Major major, std::uint64_t argument, std::string& out) {
  const auto initial = static_cast<unsigned>(major) << 5;
  if (argument < 24) {
    out.push_back(static_cast<char>(initial | static_cast<unsigned>(argument)));
    return;
  }
  unsigned width = 0;  // 1, 2, 4 or 8 bytes
  while (width < 3 && argument >> (8u << width) != 0) ++width;
  out.push_back(static_cast<char>(initial | (24 + width)));
  for (unsigned bits = 8u << width; bits > 0; bits -= 8) {
    out.push_back(static_cast<char>(argument >> (bits - 8)));
  }
}

void begin_array(std::size_t count, std::string& out) { append_head(Major::array, count, out); }

void CborSyntax::end_object(std::size_t begin, std::size_t fields, std::string& out) {
  ensure(fields <= map_fields_max, "a map has few fields");
  out[begin] = static_cast<char>(static_cast<unsigned>(Major::map) << 5 | fields);
}

void CborSyntax::append_hex(std::uint64_t value, std::string& out) {
  append_string(to_hex(value), out);
}

void CborSyntax::append_id(const RequestId& id, std::string& out) {
  if (append_whole_number(id.json, out)) return;
  if (id.json.starts_with('"') && id.json.find('\\') == std::string::npos) {
    return append_string(std::string_view(id.json).substr(1, id.json.size() - 2), out);
  }
  const auto value = nlohmann::json::parse(id.json, nullptr, /*allow_exceptions=*/false);
  if (value.is_string()) return append_string(value.get_ref<const std::string&>(), out);
  if (value.is_number()) return append_number(value.get<double>(), out);
  append_null(out);
}

}  // namespace wire::cbor
