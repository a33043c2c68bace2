#pragma once

#include <chrono>
#include <cstddef>
#include <limits>
#include <string>

#include "tools/shell/line_pattern.h"
#include "tools/shell/location.h"
#include "tools/shell/node_filter.h"

// The commands that look through a tree.
namespace shell {

inline constexpr std::size_t no_limit = std::numeric_limits<std::size_t>::max();

struct Find {
  std::string path = ".";
  NodeFilter filter = {};
  std::size_t depth_max = no_limit;
  bool null_separated = false;
};
// Prints lines of the data that match.
struct Grep {
  std::string path = ".";
  LinePattern pattern = {};
  bool names_only = false;
  bool line_numbers = false;
  bool null_separated = false;  // the names, with `names_only`
};
// Adds up the bytes and nodes of the subtrees, and prints the largest.
struct Du {
  std::string path = ".";
  std::size_t depth = 1;
  std::size_t rows = 1'000;
};
// Compares two subtrees.
struct Diff {
  Location a = {};
  Location b = {};
};
// Shows which paths have the most events.
struct Top {
  std::string path = ".";
  std::size_t rows = 20;
  std::size_t count = 0;  // of reports, after which it ends; 0: it ends when interrupted
  std::chrono::milliseconds interval{1'000};
  std::size_t depth = no_limit;
  bool each = false;  // nodes with numbers one by one
};

}  // namespace shell
