#pragma once

#include "server/storage/segment_reader.h"
#include "server/storage/tip.h"

namespace storage {

// What the commits of a log add up to. Checks that each record may follow those before it, and that
// the chain of hashes holds.
class Replay {
 public:
  // The error says which record cannot be, with its offset but without the file. After an error the
  // replay is good for nothing.
  [[nodiscard]] Result<void> apply(const Commit& commit);

  [[nodiscard]] Tip tip() const { return tip_of(durable_); }
  // Of the next commit.
  [[nodiscard]] std::uint64_t next_commit() const { return next_commit_; }
  // Whether the last commit was the seal of its segment.
  [[nodiscard]] bool sealed() const { return sealed_; }
  void begin_segment() { sealed_ = false; }
  // Takes as read a seal that a crash kept from being written.
  void skip_seal() { ++next_commit_; }

  [[nodiscard]] zab::Durable& durable() { return durable_; }

 private:
  [[nodiscard]] Result<void> apply(const Record& record);
  [[nodiscard]] Result<void> apply_txn(const Record& record);
  [[nodiscard]] Result<void> apply_accept_epoch(const Record& record);
  [[nodiscard]] Result<void> apply_adopt_history(const Record& record);

  zab::Durable durable_;
  std::uint64_t next_commit_ = 1;
  std::uint64_t adopting_ = 0;  // txns still to come of the adoption that is being applied
  bool sealed_ = false;
};

}  // namespace storage
