#pragma once

#include <string>

namespace server {

inline constexpr const char* version = "0.2.0";
// "zabkeeper 0.2.0": how files and other servers name this program.
[[nodiscard]] inline std::string program() { return std::string("zabkeeper ") + version; }

}  // namespace server
