#pragma once

#include <string>
#include <string_view>

#include "wire/path.h"
#include "wire/result.h"

namespace znode {

using wire::path_bytes_max;
using wire::path_depth_max;

// The subtree of the service itself. Clients can read it, and cannot write it (but see quota.h).
inline constexpr std::string_view reserved_path = "/zookeeper";

// See wire::validate_path.
[[nodiscard]] wire::Result<void> validate(std::string_view path);

// Whether `path` is /zookeeper or below it.
[[nodiscard]] bool is_reserved(std::string_view path);

// "/a" of "/a/b", "/" of "/a". Precondition: `path` is not the root.
[[nodiscard]] std::string_view parent_of(std::string_view path);

// "b" of "/a/b", "" of "/".
[[nodiscard]] std::string_view name_of(std::string_view path);

// "/a/b" of "/a" and "b", "/b" of "/" and "b".
[[nodiscard]] std::string child_path(std::string_view parent, std::string_view name);

// Whether `path` is strictly below `ancestor`.
[[nodiscard]] bool is_below(std::string_view path, std::string_view ancestor);

}  // namespace znode
