#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "wire/bytes.h"

// RFC 4648, section 4: the standard alphabet, padded.
namespace wire {

void append_base64(std::string_view bytes, std::string& out);

// Nothing unless `text` is exactly what append_base64 would have made of some bytes: so each value
// has one form, and whitespace, missing padding and stray bits are refused.
[[nodiscard]] std::optional<Bytes> from_base64(std::string_view text);

}  // namespace wire
