#pragma once

#include <cstddef>
#include <limits>
#include <string>

#include "tools/shell/line_pattern.h"
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

}  // namespace shell
