#pragma once

#include <vector>

#include "server/storage/format/segment_header.h"

namespace storage {

// Where the history lies in the log: pieces in which txn follows txn, whatever other records stand
// between them. A piece ends where the next one's history begins: what stands behind that in it is
// void.
class Index {
 public:
  struct Piece {
    zab::Point before;  // its txns follow this
    LogPosition at;

    bool operator==(const Piece&) const = default;
  };

  Index() : pieces_{{}} {}

  // The history goes on after `before` at `at`, as it always does when a segment begins.
  void go_on(zab::Point before, LogPosition at);
  // The same in the midst of a segment: kept only if it is far enough from the last one.
  void offer(zab::Point before, LogPosition at);
  // The history was cut back to `from`, or begins there if that is before its beginning.
  void truncate(zab::Point from, LogPosition at);
  // The history now begins after `base`.
  void restart(zab::Point base, LogPosition at);
  // Forgets what is in earlier segments.
  void forget_before(std::uint64_t sequence);

  // After which the history begins.
  [[nodiscard]] zab::Point begin() const { return pieces_.front().before; }
  // In order; never empty.
  [[nodiscard]] const std::vector<Piece>& pieces() const { return pieces_; }
  // The last piece that begins before `zxid`, or the first one: its place in `pieces()`.
  [[nodiscard]] std::size_t before(zab::Zxid zxid) const;

 private:
  std::vector<Piece> pieces_;  // zxids rise
};

}  // namespace storage
