#include "zab/invariants.h"

#include "wire/ensure.h"

namespace zab {

void check(const State& state) {
  const Durable& durable = state.durable;
  ensure(durable.current_epoch <= durable.accepted_epoch,
         "an epoch is adopted only after it was accepted");
  ensure(durable.history.last().zxid.epoch <= durable.current_epoch,
         "no transaction is of a later epoch than the one adopted");
  ensure(state.last_committed <= durable.history.last().zxid,
         "only what is in the history is committed");
  ensure(state.last_delivered <= state.last_committed, "only what is committed is delivered");
  ensure(durable.history.base().zxid <= state.last_delivered,
         "what the history no longer holds was delivered");
}

}  // namespace zab
