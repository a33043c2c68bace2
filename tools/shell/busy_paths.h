#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "wire/replies.h"

namespace shell {

// Counts events by their paths, in bounded memory. If there are too many paths, it drops those with
// the fewest events.
class BusyPaths {
 public:
  struct Grouping {
    std::string root;                                             // of the watch
    std::size_t depth = std::numeric_limits<std::size_t>::max();  // of paths below the root
    bool folds_numbers = true;  // "job-0000000007" becomes "job-*"
  };
  struct Counts {
    std::uint64_t created = 0;
    std::uint64_t changed = 0;
    std::uint64_t deleted = 0;

    [[nodiscard]] std::uint64_t events() const { return created + changed + deleted; }
    bool operator==(const Counts&) const = default;
  };
  struct Line {
    std::string path;
    Counts counts;

    bool operator==(const Line&) const = default;
  };
  struct Report {
    std::vector<Line> lines;   // the busiest first
    std::uint64_t events = 0;  // of all paths
    bool is_complete = true;   // false: the servers do not know all events
  };

  explicit BusyPaths(Grouping grouping, std::size_t paths_max = 20'000)
      : grouping_(std::move(grouping)), paths_max_(paths_max) {}

  void add(const wire::WatchEvent& event);
  // The busiest paths since the last report.
  [[nodiscard]] Report take(std::size_t lines_max);

 private:
  [[nodiscard]] std::string group_of(std::string_view path) const;
  [[nodiscard]] std::vector<Line> busiest(std::size_t lines_max) const;

  Grouping grouping_;
  std::size_t paths_max_;
  std::unordered_map<std::string, Counts> counts_;
  std::uint64_t events_ = 0;
  bool is_complete_ = true;
};

}  // namespace shell
