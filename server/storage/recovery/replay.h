#pragma once

#include <optional>

#include "server/storage/format/tip.h"
#include "server/storage/segments/index.h"
#include "server/storage/segments/segment_reader.h"

namespace storage {

// Applies the commits of a log one after the other, and keeps the state that results. Checks that
// each record may follow the records before it, and the chain of hashes.
class Replay {
 public:
  // Keeps all txns after `applied`, and before them only the last `history_bytes` of payload.
  Replay(zab::Zxid applied, std::uint64_t history_bytes)
      : applied_(applied), history_bytes_(history_bytes) {}

  // Takes the state of the log from the header of a segment. Call it for the first segment of a
  // scan, and for a segment after damage.
  void start_at(const SegmentHeader& header);
  // Continues in the next segment.
  void begin_segment(std::uint64_t sequence);
  // An error names the record that may not follow, and its offset, but not the file. After an error
  // the state is the one before this record.
  [[nodiscard]] Result<void> apply(const Commit& commit);

  [[nodiscard]] const Tip& tip() const { return tip_; }
  [[nodiscard]] const Index& index() const { return index_; }
  [[nodiscard]] const zab::History& history() const { return history_; }
  [[nodiscard]] zab::History take_history() { return std::move(history_); }
  // Whether the history begins with an adopted snapshot.
  [[nodiscard]] bool begins_with_snapshot() const { return snapshot_ == history_.base(); }
  [[nodiscard]] const std::optional<zab::Point>& last_snapshot() const { return snapshot_; }
  // The number of the next commit.
  [[nodiscard]] std::uint64_t next_commit() const { return next_commit_; }
  // Whether the last commit was the seal of its segment, or a mark.
  [[nodiscard]] bool sealed() const { return last_type_ == RecordType::sealed; }
  [[nodiscard]] bool marked() const { return last_type_ == RecordType::mark; }
  // Counts a seal that a crash prevented, as if it were there.
  void skip_seal() { ++next_commit_; }

 private:
  [[nodiscard]] Result<void> apply(const Record& record);
  [[nodiscard]] Result<void> apply_txn(const Record& record);
  [[nodiscard]] Result<void> apply_accept_epoch(const Record& record);
  [[nodiscard]] Result<void> apply_adopt_history(const Record& record);
  [[nodiscard]] LogPosition at(const Record& record) const { return {sequence_, record.offset}; }

  zab::Zxid applied_;
  std::uint64_t history_bytes_;
  Tip tip_;
  zab::History history_;                // ends at tip_.last
  Index index_;                         // of the same history
  std::optional<zab::Point> snapshot_;  // the last adopted snapshot
  std::uint64_t sequence_ = 0;
  std::uint64_t next_commit_ = 1;
  std::uint64_t adopted_txns_left_ = 0;  // of the adoption that is being applied
  std::optional<RecordType> last_type_;  // in this segment
};

}  // namespace storage
