#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "wire/bytes.h"

// Base64 of RFC 4648, section 4: the standard alphabet, padded. By hand for what it accepts, not
// for its speed: the decoder of OpenSSL accepts whitespace and stray bits.
namespace wire {

void append_base64(std::string_view bytes, std::string& out);

// Nothing unless append_base64 could have written `text`: whitespace, missing padding and stray
// bits are refused, so each value has one form.
[[nodiscard]] std::optional<Bytes> from_base64(std::string_view text);

}  // namespace wire
