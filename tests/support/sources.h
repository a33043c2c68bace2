#pragma once

#include <filesystem>

namespace support {

// The file or folder of the project that is named by its path there.
[[nodiscard]] std::filesystem::path source(const std::filesystem::path& path);

}  // namespace support
