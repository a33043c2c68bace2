#include "zab/invariants.h"

#include "wire/ensure.h"

namespace zab {

void check(const State& state) {
  const Durable& durable = state.durable;
  ensure(durable.current_epoch <= durable.accepted_epoch,
         "an epoch is adopted only after it was accepted");
  ensure(durable.history.last().zxid.epoch <= durable.current_epoch,
         "no transaction has a later epoch than the adopted one");
  ensure(state.last_committed <= durable.history.last().zxid,
         "only transactions in the history are committed");
  ensure(state.last_delivered <= state.last_committed, "only committed transactions are delivered");
  ensure(durable.history.base().zxid <= state.last_delivered,
         "only delivered transactions are dropped from memory");
}

}  // namespace zab
