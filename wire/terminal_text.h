#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace wire {

// `text` with everything escaped that could do more to a terminal than show a character: control
// characters (but newlines and tabs), characters that change the direction of a line, and bytes
// that are not UTF-8. "\x1b", "\r", "\u{202e}".
[[nodiscard]] std::string terminal_text(std::string_view text);

// `text` with U+FFFD in place of each byte that is not UTF-8, as JSON needs it.
[[nodiscard]] std::string utf8_text(std::string_view text);

// How many bytes at the end of `text` begin a UTF-8 character whose rest is missing.
[[nodiscard]] std::size_t unfinished_bytes(std::string_view text);

}  // namespace wire
