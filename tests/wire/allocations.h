#pragma once

#include <cstddef>

// Counts the bytes that operator new has given out, in the test program that links this.
namespace allocations {

// The most bytes that were allocated at one time while `run` ran, beyond those before it.
template <class Run>
std::size_t peak_of(Run&& run);

namespace detail {
void begin();
std::size_t end();
}  // namespace detail

template <class Run>
std::size_t peak_of(Run&& run) {
  detail::begin();
  run();
  return detail::end();
}

}  // namespace allocations
