#include "tests/wire/allocations.h"

#include <algorithm>
#include <cstdlib>
#include <malloc.h>
#include <new>

namespace {

thread_local bool counts = false;
thread_local std::ptrdiff_t live = 0;
thread_local std::ptrdiff_t peak = 0;

void* counted(void* block) {
  if (block == nullptr) throw std::bad_alloc();
  if (counts) {
    live += static_cast<std::ptrdiff_t>(malloc_usable_size(block));
    peak = std::max(peak, live);
  }
  return block;
}

void release(void* block) {
  if (counts && block != nullptr) live -= static_cast<std::ptrdiff_t>(malloc_usable_size(block));
  std::free(block);
}

}  // namespace

// The other forms of new and delete call these.
void* operator new(std::size_t bytes) { return counted(std::malloc(bytes)); }
void* operator new(std::size_t bytes, std::align_val_t align) {
  const auto to = static_cast<std::size_t>(align);
  return counted(std::aligned_alloc(to, (bytes + to - 1) / to * to));
}
// A sanitizer has its own of these: both forms must come from here.
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
  return counted(std::malloc(bytes));
}
void* operator new[](std::size_t bytes, const std::nothrow_t&) noexcept {
  return counted(std::malloc(bytes));
}
void* operator new[](std::size_t bytes) { return counted(std::malloc(bytes)); }
void operator delete[](void* block) noexcept { release(block); }
void operator delete[](void* block, std::size_t) noexcept { release(block); }
void operator delete(void* block) noexcept { release(block); }
void operator delete(void* block, std::size_t) noexcept { release(block); }
void operator delete(void* block, std::align_val_t) noexcept { release(block); }
void operator delete(void* block, std::size_t, std::align_val_t) noexcept { release(block); }

namespace allocations::detail {

void begin() {
  live = peak = 0;
  counts = true;
}

std::size_t end() {
  counts = false;
  return static_cast<std::size_t>(peak);
}

}  // namespace allocations::detail
