#pragma once

#include <exception>
#include <string>

#include "wire/error.h"

namespace server {

// Why a process ends that did not mean to.
struct Ending {
  std::string words;             // what was wrong, and what to do
  bool is_of_the_system = true;  // else the program has a bug
};

// Explains an exception that nobody caught.
[[nodiscard]] Ending explain(const std::exception_ptr& error);

// From now on the process says why it ends, whatever ends it: an exception that no thread catches,
// a broken invariant, or a signal that reports a fault of the program. If the system refused
// something, the exit code is exit_start; otherwise the process aborts.
void say_why_it_ends();

// Ends the process, because the log cannot be written: with exit_disk, or with exit_start if
// `error` is Unimplemented, for a snapshot of a newer program. Any thread may call it.
[[noreturn]] void exit_on_log_failure(const wire::Error& error);

}  // namespace server
