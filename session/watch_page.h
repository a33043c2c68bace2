#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "session/watch.h"

namespace session {

// The watches of one path, of all sessions.
struct PathWatches {
  std::string path;
  Watch::Reach reach = Watch::Reach::node;
  std::size_t watches = 0;

  bool operator==(const PathWatches&) const = default;
};

// A part of all paths that are watched, in no order.
struct WatchPage {
  std::vector<PathWatches> paths;
  std::optional<std::size_t> next;  // where the next page begins; none: this is the last one
};

}  // namespace session
