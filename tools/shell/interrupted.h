#pragma once

#include <atomic>

namespace shell {

// Set by an interrupt; ends a watch, a walk through the tree, and a deletion in parts.
inline std::atomic<bool> interrupted{false};

// Ends a command that an interrupt has ended early. `Runner::run` reports it.
struct Interrupted {};

}  // namespace shell
