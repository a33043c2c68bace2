#pragma once

#include <string_view>

namespace wire {

// Says on standard error which condition does not hold, and where, and aborts.
[[noreturn]] void ensure_failed(std::string_view condition, std::string_view why,
                                std::string_view file, int line);

}  // namespace wire

// A statement about the program itself, checked in release builds too: a program that is wrong
// stops before it damages what is durable. `why` says what it would mean if it did not hold.
#define ensure(condition, why)        \
  ((condition) ? static_cast<void>(0) \
               : ::wire::ensure_failed(#condition, (why), __FILE__, __LINE__))
