#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace history {

// A violation of a rule by the history. docs/reliability.md lists the rules.
struct Violation {
  std::string rule, what;
};

// The violations, and how much was checked.
struct Report {
  std::vector<Violation> violations;
  std::size_t violations_left_out = 0;  // beyond the first 50

  std::size_t operations = 0, acknowledged_writes = 0, refusals = 0, unknown = 0;
  std::size_t unknown_happened = 0;  // of the unknown ones, those that were carried out
  std::size_t changes = 0;           // of znodes, by transactions
  std::size_t reads_replayed = 0, reads_uncertain = 0;
  std::size_t watches = 0, events = 0;
  std::size_t session_ends = 0;
  std::size_t searched = 0, search_groups = 0;  // operations, groups of znodes
  std::size_t faults = 0;

  void add_violation(std::string rule, std::string what) {
    if (violations.size() < 50) {
      violations.push_back({std::move(rule), std::move(what)});
    } else {
      violations_left_out += 1;
    }
  }
};

}  // namespace history
