#pragma once

#include "server/storage/format/tip.h"
#include "server/storage/recovery/segment_catalog.h"
#include "server/storage/segments/segment_reader.h"

namespace storage {

// How far a damaged log reached, at least: by what is left of it behind the damage.
class DamageEvidence {
 public:
  // `kept` is what holds before the damage.
  explicit DamageEvidence(const Tip& kept);

  // In the log's order. Whatever cannot be read is passed over.
  void add(const Tip& start);
  void add(FileSystem& files, const SegmentEntry& segment, std::uint64_t offset);
  // Last: it may be of any time before the damage.
  void add_extent(const Tip& said);

  // What holds, with the epochs and the cluster that are proven, and the claim.
  [[nodiscard]] Tip tip() const;

 private:
  void add(const Record& record);
  void reached(zab::Zxid zxid);
  void raise_accepted(const zab::AcceptEpoch& accepted);

  Tip tip_;
  zab::Claim claim_;
};

}  // namespace storage
