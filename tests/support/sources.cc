#include "tests/support/sources.h"

namespace support {

// Only this file is compiled with the path of the clone: the compiler's cache serves all others.
std::filesystem::path source(const std::filesystem::path& path) {
  return std::filesystem::path(ZABKEEPER_SOURCE_DIR) / path;
}

}  // namespace support
