#pragma once

#include <cstddef>
#include <string_view>

#include "wire/result.h"

namespace wire {

inline constexpr std::size_t path_bytes_max = 4096;
inline constexpr std::size_t path_depth_max = 128;

// A valid path is absolute and within the bounds above. It is valid UTF-8 without the characters
// that ZooKeeper refuses, and has no empty, `.` or `..` component and no trailing slash. For other
// paths returns BadArguments with the path and the reason.
[[nodiscard]] Result<void> validate_path(std::string_view path);

}  // namespace wire
