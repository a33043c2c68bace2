#pragma once

#include <cstddef>
#include <string_view>

// Upper bounds of what a reply takes, known before it is built: the bytes of its JSON, and at least
// half of its memory. CBOR is never longer.
namespace wire {

// A stat with its names, and what an envelope, an operation's result or a list's element adds.
inline constexpr std::size_t stat_bytes_max = 400;
inline constexpr std::size_t item_bytes_max = 64;

// A node's data, or another text, in quotes: escaped, or in base64 if it is no text. (A client that
// asks for base64 of a text gets up to a third more.)
[[nodiscard]] std::size_t text_bytes_max(std::string_view bytes);
// The same, of data that is not there yet: every byte might be escaped.
[[nodiscard]] constexpr std::size_t text_bytes_max(std::size_t bytes) { return 6 * bytes + 16; }

}  // namespace wire
