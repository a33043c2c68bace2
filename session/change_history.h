#pragma once

#include <cstddef>
#include <deque>
#include <vector>

#include "wire/zxid.h"
#include "znode/changes.h"

namespace session {

// The recent transactions' changes, for watches that begin in the past. Holds, without a gap, every
// change with start() < zxid <= end(); within its bounds, the oldest transactions go first.
class ChangeHistory {
 public:
  struct Bounds {
    std::size_t changes_max = 10'000;
    std::size_t bytes_max = std::size_t{64} << 20;
  };
  struct Entry {
    wire::Zxid zxid;
    std::vector<znode::Change> changes;
    std::size_t bytes = 0;
  };

  explicit ChangeHistory(Bounds bounds) : bounds_(bounds) {}

  [[nodiscard]] wire::Zxid start() const { return start_; }
  [[nodiscard]] wire::Zxid end() const { return end_; }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  [[nodiscard]] std::size_t change_count() const { return change_count_; }
  // The entries after `zxid`, the oldest first: the end of a range that begins here.
  [[nodiscard]] std::deque<Entry>::const_iterator first_after(wire::Zxid zxid) const;
  [[nodiscard]] std::deque<Entry>::const_iterator last() const { return entries_.end(); }

  // There is nothing yet, and what comes comes after this.
  void begin_after(wire::Zxid zxid);
  // `zxid` is above end().
  void add(wire::Zxid zxid, std::vector<znode::Change> changes);

 private:
  Bounds bounds_;
  std::deque<Entry> entries_;  // of transactions that changed something
  wire::Zxid start_;
  wire::Zxid end_;
  std::size_t bytes_ = 0;
  std::size_t change_count_ = 0;
};

}  // namespace session
