#pragma once

#include <optional>

#include "zab/effects.h"
#include "zab/state.h"

namespace storage {

// What a log promises after some record, and what it takes to judge the next one.
// Invariant: last.zxid.epoch <= current_epoch <= accepted_epoch.
struct Tip {
  zab::Epoch accepted_epoch;
  zab::ServerId accepted_leader;
  zab::Epoch current_epoch;
  zab::ClusterId cluster;
  bool founded = false;
  zab::Point last;
  std::optional<zab::Claim> damaged;  // until a history is adopted

  bool operator==(const Tip&) const = default;
};

// Whether each may come next. Writing and recovery ask the same questions, so that nothing is
// written that would be refused when it is read.
[[nodiscard]] bool allows_accept(const Tip& tip, zab::Epoch epoch);
// If it is no snapshot, `from` must also be in the history, which is not known here.
[[nodiscard]] bool allows_adopt(const Tip& tip, zab::Epoch epoch, zab::Point from, bool snapshot);
[[nodiscard]] bool allows_txn(const Tip& tip, zab::Zxid zxid);

// What each makes of a tip that allows it. An adopted history's txns come after this.
void accept(Tip& tip, const zab::AcceptEpoch& accepted);
void adopt(Tip& tip, zab::Epoch epoch, zab::ClusterId cluster, zab::Point from);

}  // namespace storage
