#pragma once

#include <chrono>
#include <functional>
#include <ostream>
#include <string>

#include "tools/shell/output.h"

namespace shell {

// Prints what `make` returns, again and again, until `is_over`. On a terminal each text replaces
// the one before; elsewhere they follow each other.
void repaint(Output& out, std::chrono::milliseconds interval,
             const std::function<std::string()>& make, const std::function<bool()>& is_over);

}  // namespace shell
