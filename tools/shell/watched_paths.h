#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "wire/result.h"

namespace shell {

// One page of a server's list has at least so many paths, if there are so many.
inline constexpr std::size_t watched_paths_max = 100;

struct WatchedPath {
  std::uint64_t watches = 0;
  bool subtree = false;  // watches of the path and of everything below it
  std::string path;
  std::string server = {};

  bool operator==(const WatchedPath&) const = default;
};

struct WatchesOfServer {
  std::uint64_t watches = 0;
  std::uint64_t paths = 0;
  std::vector<WatchedPath> top;  // the most watched first
};

// The `count` paths of a server with the most watches. `ask` gives the server a command, and
// returns its result. `count`: at most watched_paths_max.
[[nodiscard]] wire::Result<WatchesOfServer> most_watched(
    const std::function<wire::Result<nlohmann::json>(const std::string& target)>& ask,
    std::size_t count);

// Adds a path to those with the most watches, and keeps `count` of them. A path of the same server
// that is there already is replaced.
void add_path(std::vector<WatchedPath>& top, const WatchedPath& path, std::size_t count);

[[nodiscard]] nlohmann::json json_of(const WatchesOfServer& watches, const std::string& server);

}  // namespace shell
