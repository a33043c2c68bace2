#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "client-lib/recipes/exactly_once.h"
#include "client-lib/recipes/recipe_actions.h"
#include "client-lib/recipes/work_queue.h"
#include "wire/bytes.h"
#include "wire/error.h"
#include "wire/replies.h"
#include "wire/result.h"
#include "wire/zxid.h"

namespace zabkeeper {

struct QueueProducerOptions {
  WorkQueue queue;
  // Of the producer: 32 lower-case hex digits, random. All its items are put with it, also after
  // the program has started again. No two producers have the same one.
  std::string id;
  // So long after the last item, the receipt of the producer is deleted.
  std::int64_t receipt_ttl_ms = 3'600'000;
};

// The answer to `begin`, as this server knows it.
struct PutReady {
  std::uint64_t last = 0;  // the number of the producer's last item; 0: none is known
  bool operator==(const PutReady&) const = default;
};
// The item is in the queue, or was: it may be done already.
struct PutDone {
  std::uint64_t number = 0;
  bool operator==(const PutDone&) const = default;
};
// As CounterFailed.
struct PutFailed {
  wire::Error error;
  bool may_be_done = false;
  bool operator==(const PutFailed&) const = default;
};

using PutAction = std::variant<Ask, Pause, PutReady, PutDone, PutFailed>;
using PutActions = std::vector<PutAction>;

// Puts the items of one producer into a queue, one after the other. A pure value, as Acquisition
// is. It has one call at a time: the next one begins after the answer.
//
// Guarantees, with any number of lost connections and sessions, server failures and moves of the
// session: as CounterOwner gives for additions. An item that was told as put was put exactly once,
// and `put` that begins again with the same number puts the item once in all. The item and the
// receipt are one transaction, so an item that is done already is not put again.
//
// Not guaranteed: as for CounterOwner.
class QueueProducer {
 public:
  // Aborts if the id has another form.
  explicit QueueProducer(QueueProducerOptions options);

  // Reads the receipt, and creates it if it is missing. Optional.
  [[nodiscard]] PutActions begin();
  // `number` is greater than that of the producer's last item, or the same, to begin it again with
  // the same data. `due_ms` counts in a queue with delays: milliseconds since 1970, from 0 on.
  [[nodiscard]] PutActions put(std::uint64_t number, wire::Bytes data, std::int64_t due_ms = 0);

  // As of CounterOwner.
  [[nodiscard]] PutActions replied(std::uint64_t number,
                                   const wire::Result<wire::ReplyBody>& result, wire::Zxid zxid);
  [[nodiscard]] PutActions received(std::uint64_t, const wire::WatchEvent&) { return {}; }
  [[nodiscard]] PutActions connection_lost() { return {}; }
  [[nodiscard]] PutActions session_lost();
  [[nodiscard]] PutActions again();
  [[nodiscard]] PutActions give_up(wire::Error why);

  [[nodiscard]] bool is_idle() const { return !is_busy_; }

 private:
  void take(ExactlyOnce::Step step, PutActions& actions);

  WorkQueue queue_;
  ExactlyOnce once_;
  bool is_busy_ = false;
  std::uint64_t number_ = 0;  // of the item; 0: `begin`
  wire::Bytes data_;
  std::int64_t due_ms_ = 0;
};

}  // namespace zabkeeper
