#pragma once

#include <deque>
#include <optional>

#include "zab/history.h"

namespace storage {

// The points of a history, without its payloads: a truncation names only the zxid it goes back to,
// and the log needs the hash too.
class Trail {
 public:
  explicit Trail(const zab::History& history);

  void add(zab::Point point) { steps_.push_back({point.zxid.bits(), point.hash}); }
  // Forgets what is after `zxid`, and returns the point there; nothing if the history does not go
  // through it.
  [[nodiscard]] std::optional<zab::Point> truncate_after(zab::Zxid zxid);

 private:
  struct Step {
    std::uint64_t zxid = 0;  // bits: 24 octets a step instead of 32
    zab::ChainHash hash;
  };

  std::deque<Step> steps_;  // never empty: the base comes first
};

}  // namespace storage
