#pragma once

#include <optional>

#include "zab/effects.h"
#include "zab/state.h"

namespace storage {

// The state of a log after a record: what it has promised, and all that is needed to judge whether
// another record may follow.
// Invariant: last.zxid.epoch <= current_epoch <= accepted_epoch.
struct Tip {
  zab::Epoch accepted_epoch;
  zab::ServerId accepted_leader;
  zab::Epoch current_epoch;
  zab::ClusterId cluster;
  bool founded = false;
  zab::Point last;                    // the end of the history
  std::optional<zab::Claim> damaged;  // set from damage until a history is adopted

  bool operator==(const Tip&) const = default;
};

// Whether each may come next. Writing and recovery use the same rules, so that nothing is written
// that recovery would reject.
[[nodiscard]] bool allows_accept(const Tip& tip, zab::Epoch epoch);
// Without a snapshot, `from` must also be in the history. The tip does not know the history: the
// caller checks that.
[[nodiscard]] bool allows_adopt(const Tip& tip, zab::Epoch epoch, zab::Point from, bool snapshot);
[[nodiscard]] bool allows_txn(const Tip& tip, zab::Zxid zxid);

// Change a tip that allows it. The txns of an adopted history come after `adopt`.
void accept(Tip& tip, const zab::AcceptEpoch& accepted);
void adopt(Tip& tip, zab::Epoch epoch, zab::ClusterId cluster, zab::Point from);

}  // namespace storage
