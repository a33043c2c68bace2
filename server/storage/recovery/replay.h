#pragma once

#include <optional>

#include "server/storage/format/tip.h"
#include "server/storage/segments/index.h"
#include "server/storage/segments/segment_reader.h"

namespace storage {

// What the commits of a log add up to. Checks that each record may follow those before it, and that
// the chain of hashes holds.
class Replay {
 public:
  // Of the history, what is at or before `applied` is forgotten beyond `history_bytes`.
  Replay(zab::Zxid applied, std::uint64_t history_bytes)
      : applied_(applied), history_bytes_(history_bytes) {}

  // Takes the header's word for where the log stands: at the log's beginning, and behind damage.
  void jump(const SegmentHeader& header);
  // Goes on in the next segment.
  void begin_segment(std::uint64_t sequence);
  // The error says which record cannot be, with its offset but without the file. After an error the
  // replay is as it was before that record.
  [[nodiscard]] Result<void> apply(const Commit& commit);

  [[nodiscard]] const Tip& tip() const { return tip_; }
  [[nodiscard]] const Index& index() const { return index_; }
  [[nodiscard]] const zab::History& history() const { return history_; }
  [[nodiscard]] zab::History take_history() { return std::move(history_); }
  // Set if the history begins with a snapshot that was adopted.
  [[nodiscard]] bool begins_with_snapshot() const { return snapshot_ == history_.base(); }
  [[nodiscard]] const std::optional<zab::Point>& last_snapshot() const { return snapshot_; }
  // Of the next commit.
  [[nodiscard]] std::uint64_t next_commit() const { return next_commit_; }
  // Whether the last commit was the seal of its segment, or a mark.
  [[nodiscard]] bool sealed() const { return last_type_ == RecordType::sealed; }
  [[nodiscard]] bool marked() const { return last_type_ == RecordType::mark; }
  // Takes as read a seal that a crash kept from being written.
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
  zab::History history_;  // ends at tip_.last
  Index index_;           // of the same history
  std::optional<zab::Point> snapshot_;
  std::uint64_t sequence_ = 0;
  std::uint64_t next_commit_ = 1;
  std::uint64_t adopting_ = 0;           // txns still to come of the adoption that is being applied
  std::optional<RecordType> last_type_;  // in this segment
};

}  // namespace storage
