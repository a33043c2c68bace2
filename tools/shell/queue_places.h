#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace shell {

// Decides which nodes of a lock hold it, and which wait. Call `next` for each node, in the order of
// their numbers.
class QueuePlaces {
 public:
  struct Place {
    bool holds = false;
    std::size_t ahead = 0;  // the nodes that it waits for
  };

  // `limit`: how many may hold at the same time, for a semaphore; none: it is a lock.
  explicit QueuePlaces(std::optional<std::int32_t> limit) : limit_(limit) {}

  // The place of the next node; none if the name has no number.
  [[nodiscard]] std::optional<Place> next(std::string_view name);

 private:
  std::optional<std::int32_t> limit_;
  std::size_t before_ = 0;
  std::size_t not_readers_before_ = 0;
};

}  // namespace shell
