#pragma once

#include <cstddef>
#include <ostream>
#include <string>

#include "tools/shell/exit_codes.h"
#include "tools/shell/refused.h"

namespace shell {

// The nodes that a walk through a tree has left out: those that were deleted after they were
// listed, and those that may not be read. The walk goes on with other nodes.
class Omissions {
 public:
  explicit Omissions(std::ostream& err) : err_(err) {}

  // A request for the node `path` was refused. Throws it again if the walk cannot go on.
  void add(const Refused& refused, const std::string& path);
  // Says which nodes were deleted. Returns the exit code of the walk.
  int finish();

 private:
  std::ostream& err_;
  int exit_code_ = exit_ok;
  std::size_t vanished_ = 0;
  std::string first_vanished_;
};

}  // namespace shell
