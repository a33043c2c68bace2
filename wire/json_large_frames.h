#pragma once

#include <string_view>

#include "wire/raw_frame.h"

namespace wire::json {

// Parses a frame of any length within frame_memory_max. Does not say where invalid text is invalid.
[[nodiscard]] RawFrame parse_large(std::string_view text);

}  // namespace wire::json
