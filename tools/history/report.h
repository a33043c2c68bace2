#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace history {

// A rule that the history breaks. The names are listed in docs/reliability.md.
struct Violation {
  std::string rule, what;
};

// What was found, and how much was looked at.
struct Report {
  std::vector<Violation> violations;
  std::size_t violations_left_out = 0;  // beyond those that are worth reading

  std::size_t operations = 0, acknowledged_writes = 0, refusals = 0, unknown = 0;
  std::size_t unknown_happened = 0;  // of the unknown ones, found to have been carried out
  std::size_t changes = 0;           // transactions' effects in the order of zxid
  std::size_t reads_replayed = 0, reads_uncertain = 0;
  std::size_t watches = 0, events = 0;
  std::size_t session_ends = 0;
  std::size_t searched = 0, search_groups = 0;  // operations, groups of znodes
  std::size_t faults = 0;

  void complain(std::string rule, std::string what) {
    if (violations.size() < 50) {
      violations.push_back({std::move(rule), std::move(what)});
    } else {
      violations_left_out += 1;
    }
  }
};

}  // namespace history
