#pragma once

#include "zab/effects.h"
#include "zab/state.h"

namespace storage {

// What a log promises after some record, and what it takes to judge the next one.
// Invariant: last.zxid.epoch <= current_epoch <= accepted_epoch.
struct Tip {
  zab::Epoch accepted_epoch;
  zab::ServerId accepted_leader;
  zab::Epoch current_epoch;
  zab::Point last;

  bool operator==(const Tip&) const = default;
};

[[nodiscard]] inline Tip tip_of(const zab::Durable& durable) {
  return {durable.accepted_epoch, durable.accepted_leader, durable.current_epoch,
          durable.history.last()};
}

// Whether each may come next. Writing and recovery ask the same questions, so that nothing is
// written that would be refused when it is read.
[[nodiscard]] bool allows_accept(const Tip& tip, zab::Epoch epoch);
// `truncate_to` must also be in the history, which is not known here.
[[nodiscard]] bool allows_adopt(const Tip& tip, zab::Epoch epoch, zab::Zxid truncate_to);
[[nodiscard]] bool allows_txn(const Tip& tip, zab::Zxid zxid);

}  // namespace storage
