#pragma once

#include <vector>

#include "server/storage/format/segment_header.h"

namespace storage {

// Where the history is in the log: a list of pieces. From the beginning of a piece on, txn follows
// txn, with other records between them. A piece ends where the history of the next piece begins;
// its txns behind that are void.
class Index {
 public:
  struct Piece {
    zab::Point before;  // the txns of the piece follow this point
    LogPosition at;

    bool operator==(const Piece&) const = default;
  };

  Index() : pieces_{{}} {}

  // Adds a piece: the history continues after `before` at `at`. Called whenever a segment begins.
  void add(zab::Point before, LogPosition at);
  // The same within a segment: adds the piece only if it is far enough behind the last one.
  void add_if_far(zab::Point before, LogPosition at);
  // The history was truncated to `from`, or begins there if `from` is before its beginning.
  void truncate(zab::Point from, LogPosition at);
  // The history begins after `base`.
  void restart(zab::Point base, LogPosition at);
  // Forgets all pieces in segments before `sequence`.
  void forget_before(std::uint64_t sequence);

  // The history begins after this point.
  [[nodiscard]] zab::Point begin() const { return pieces_.front().before; }
  // In order; never empty.
  [[nodiscard]] const std::vector<Piece>& pieces() const { return pieces_; }
  // The last piece that begins before `zxid`, or the first one, as an index into `pieces()`.
  [[nodiscard]] std::size_t piece_before(zab::Zxid zxid) const;

 private:
  std::vector<Piece> pieces_;  // zxids rise
};

}  // namespace storage
