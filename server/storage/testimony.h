#pragma once

#include "server/storage/segment_reader.h"
#include "server/storage/survey.h"
#include "server/storage/tip.h"

namespace storage {

// How far a damaged log reached, at least: by what is left of it behind the damage.
class Testimony {
 public:
  // `kept` is what holds before the damage.
  explicit Testimony(const Tip& kept);

  // In the log's order. Whatever cannot be read is passed over.
  void hear(const Tip& start);
  void hear(FileSystem& files, const Surveyed& segment, std::uint64_t offset);
  // Last: it may be of any time before the damage.
  void hear_witness(const Tip& said);

  // What holds, with the epochs and the cluster that are proven, and the claim.
  [[nodiscard]] Tip tip() const;

 private:
  void hear(const Record& record);
  void reached(zab::Zxid zxid);
  void raise_accepted(const zab::AcceptEpoch& accepted);

  Tip tip_;
  zab::Claim claim_;
};

}  // namespace storage
