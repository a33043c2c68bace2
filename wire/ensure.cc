#include "wire/ensure.h"

#include <cstdio>
#include <cstdlib>

namespace wire {

void ensure_failed(std::string_view condition, std::string_view why, std::string_view file,
                   int line) {
  std::fprintf(stderr, "%.*s:%d: broken invariant: %.*s (%.*s)\n", static_cast<int>(file.size()),
               file.data(), line, static_cast<int>(condition.size()), condition.data(),
               static_cast<int>(why.size()), why.data());
  std::abort();
}

}  // namespace wire
