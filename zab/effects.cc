#include "zab/effects.h"

#include <iterator>
#include <utility>

#include "zab/state.h"

namespace zab {
namespace {

template <typename T>
void add(std::vector<T>& to, std::vector<T>&& from) {
  if (to.empty()) {
    to = std::move(from);
  } else {
    to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
  }
}

// An ack includes every earlier ack to the same server.
bool supersedes(const Envelope& later, const Envelope& earlier) {
  return later.to == earlier.to && std::holds_alternative<Ack>(later.message) &&
         std::holds_alternative<Ack>(earlier.message);
}

struct Store {
  Durable& durable;

  void operator()(const AcceptEpoch& persist) const {
    durable.accepted_epoch = persist.epoch;
    durable.accepted_leader = persist.leader;
  }
  void operator()(const AdoptHistory& persist) const {
    if (persist.snapshot) {
      durable.history = History(persist.from);
      durable.applied = persist.from.zxid;
    } else {
      durable.history.truncate_after(persist.from.zxid);
    }
    for (const Txn& txn : persist.txns) durable.history.append(txn.zxid, txn.payload);
    if (durable.cluster != persist.cluster) durable.founded = false;
    durable.cluster = persist.cluster;
    durable.current_epoch = persist.epoch;
    durable.damaged.reset();
  }
  void operator()(const Append& persist) const {
    durable.history.append(persist.txn.zxid, persist.txn.payload);
  }
  void operator()(const MarkFounded&) const { durable.founded = true; }
  void operator()(const StoreSnapshot&) const {}  // has no effect before AdoptHistory
};

}  // namespace

void store(const Persist& persist, Durable& durable) { std::visit(Store{durable}, persist); }

Effects& Effects::operator+=(Effects&& next) {
  if (next.role_status) role_status = next.role_status;
  add(send, std::move(next.send));
  add(persist, std::move(next.persist));
  for (Envelope& envelope : next.confirm) {
    if (!confirm.empty() && supersedes(envelope, confirm.back())) {
      confirm.back() = std::move(envelope);
    } else {
      confirm.push_back(std::move(envelope));
    }
  }
  add(read, std::move(next.read));
  if (next.restore) restore = next.restore;
  add(deliver, std::move(next.deliver));
  add(confirmed, std::move(next.confirmed));
  add(refused, std::move(next.refused));
  add(notes, std::move(next.notes));
  return *this;
}

bool Effects::empty() const {
  return !role_status && send.empty() && persist.empty() && confirm.empty() && read.empty() &&
         !restore && deliver.empty() && confirmed.empty() && refused.empty() && notes.empty();
}

}  // namespace zab
