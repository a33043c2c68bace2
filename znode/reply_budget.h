#pragma once

#include <cstddef>
#include <limits>

namespace znode {

// So many children may be looked at, one after the other, for the reply to one request.
inline constexpr std::size_t sorted_children_max = 10'000;

// What a reply may take, in the bytes of wire/reply_size.h. All operations of a multi share one
// budget.
class ReplyBudget {
 public:
  explicit ReplyBudget(std::size_t bytes_max = std::numeric_limits<std::size_t>::max())
      : bytes_max_(bytes_max) {}

  // Takes `bytes`. Returns false, and takes nothing, if fewer are left.
  [[nodiscard]] bool take(std::size_t bytes) {
    if (bytes > bytes_max_ - taken_) return false;
    taken_ += bytes;
    return true;
  }
  // So many children are looked at, and sorted; a long name counts as several. Returns false if
  // they are too many in all.
  [[nodiscard]] bool sort(std::size_t children) {
    if (children > sorted_children_max - sorted_) return false;
    sorted_ += children;
    return true;
  }
  [[nodiscard]] std::size_t taken() const { return taken_; }
  [[nodiscard]] std::size_t bytes_max() const { return bytes_max_; }

 private:
  std::size_t bytes_max_;
  std::size_t taken_ = 0;
  std::size_t sorted_ = 0;
};

}  // namespace znode
