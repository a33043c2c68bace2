#pragma once

#include <cstddef>
#include <deque>
#include <vector>

#include "wire/zxid.h"
#include "znode/changes.h"

namespace session {

// The changes of recent transactions, for watches that begin at a zxid in the past. It holds all
// changes with start() < zxid <= end(). If it exceeds its bounds, the oldest transactions are
// dropped.
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
  // The range of the entries after `zxid`, oldest first: [first_after(zxid), last()).
  [[nodiscard]] std::deque<Entry>::const_iterator first_after(wire::Zxid zxid) const;
  [[nodiscard]] std::deque<Entry>::const_iterator last() const { return entries_.end(); }

  // Clears the history. The next transaction comes after `zxid`.
  void begin_after(wire::Zxid zxid);
  // Precondition: `zxid` is above end().
  void add(wire::Zxid zxid, std::vector<znode::Change> changes);

 private:
  Bounds bounds_;
  std::deque<Entry> entries_;  // only of transactions with changes
  wire::Zxid start_;
  wire::Zxid end_;
  std::size_t bytes_ = 0;
  std::size_t change_count_ = 0;
};

}  // namespace session
