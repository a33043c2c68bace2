#pragma once

#include <string_view>

namespace wire {

// Writes to standard error which condition does not hold, and where, and aborts.
[[noreturn]] void ensure_failed(std::string_view condition, std::string_view why,
                                std::string_view file, int line);

}  // namespace wire

// Checks an invariant of the program, in release builds too: a program with a bug stops before it
// damages durable data. `why` states the invariant in words.
#define ensure(condition, why)        \
  ((condition) ? static_cast<void>(0) \
               : ::wire::ensure_failed(#condition, (why), __FILE__, __LINE__))
