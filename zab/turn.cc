#include "zab/turn.h"

#include "wire/ensure.h"

namespace zab {

void Turn::commit_to(Zxid zxid) const {
  ensure(zxid >= state.last_committed, "the commit point never moves back");
  const History& history = state.durable.history;
  ensure(history.contains(zxid), "only what is in the history is committed");
  state.last_committed = zxid;
  for (auto txn = history.after(state.last_delivered); txn != history.end() && txn->zxid <= zxid;
       ++txn) {
    effects.deliver.push_back(*txn);
    state.last_delivered = txn->zxid;
  }
}

}  // namespace zab
