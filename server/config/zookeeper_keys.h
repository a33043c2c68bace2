#pragma once

#include <span>
#include <string_view>

namespace server {

// The keys of Apache ZooKeeper 3.4 to 3.10 that have no use here. A configuration may contain them:
// they are ignored. A * at the end stands for any text.
[[nodiscard]] std::span<const std::string_view> ignored_keys();

// Whether `name` is one of them.
[[nodiscard]] bool is_ignored_key(std::string_view name);

}  // namespace server
