#pragma once

#include "server/storage/format/tip.h"
#include "server/storage/recovery/segment_catalog.h"
#include "server/storage/segments/segment_reader.h"

namespace storage {

// Collects how far a damaged log reached, at least: from what is left of it behind the damage, and
// from the extent. Call the functions in the order of the log, `add_extent` last.
class DamageEvidence {
 public:
  // `intact`: the state of the log before the damage.
  explicit DamageEvidence(const Tip& intact);

  // The start of a segment, from its header.
  void add_start(const Tip& start);
  // All intact records of a segment from `offset` on. Skips what cannot be read. Returns an error
  // only for a record that a later version of this program wrote.
  [[nodiscard]] Result<void> add_records(FileSystem& files, const SegmentEntry& segment,
                                         std::uint64_t offset);
  // The state of the log that the extent has. It may be of any time before the damage.
  void add_extent(const Tip& reached);

  // The intact state, with the epochs and the cluster that the evidence proves, and the claim.
  [[nodiscard]] Tip tip() const;

 private:
  void add_record(const Record& record);
  void raise_claim(zab::Zxid zxid);
  void raise_accepted(const zab::AcceptEpoch& accepted);

  Tip tip_;
  zab::Claim claim_;
};

}  // namespace storage
