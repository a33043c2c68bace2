#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "client-lib/async_calls.h"
#include "client-lib/block.h"
#include "client-lib/queue_item.h"
#include "client-lib/recipe_call.h"
#include "client-lib/recipes/queue_producer.h"
#include "client-lib/recipes/work_queue.h"
#include "client-lib/serial_run.h"
#include "client-lib/take_run.h"

// Queues of items that programs put and take.
//
//   zabkeeper::Queue queue(client, "/mails");
//   queue.put("to Ada").value();
//
//   zabkeeper::QueueItem item = queue.take().value();
//   send(item.data());
//   item.done().value();
namespace zabkeeper {

// Runs a QueueProducer on a client.
class ProducerRun final : public SerialRun<ProducerRun, QueueProducer> {
 public:
  using SerialRun::SerialRun;

  void begin(const RecipeCall<PutReady>& call);
  // `number` 0: the next one.
  void put(std::uint64_t number, wire::Bytes data, std::int64_t due_ms,
           const RecipeCall<PutDone>& call);

 private:
  friend SerialRun;

  void told(const PutReady& ready);
  void told(const PutDone& done) { putting_.answer({}, done); }
  void told(const PutFailed& failed);

  std::uint64_t last_ = 0;  // number of an item
  // The call that has begun.
  RecipeCall<PutReady> beginning_;
  RecipeCall<PutDone> putting_;
};

struct QueueSettings {
  // The id of the producer: 32 lower-case hex digits. Empty: a random one. A program that numbers
  // its items gives the same one after a restart. No two queues have the same one at the same time.
  std::string producer = {};
  // So long after its last item, the producer's receipt is deleted.
  std::int64_t receipt_ttl_ms = 3'600'000;
};

// What Queue and DelayQueue have in common. Any thread may use it. Items are put one after the
// other, exactly once each, and any number of takes may wait. The client must outlive it, its
// calls, and the items. client-lib/recipes/queue_take.h and queue_producer.h say what is guaranteed
// under which failures.
//
// Errors of `put`: with ConnectionLoss the item may be put, or may be put later. A program that
// must know has numbered it, and puts it again with the same number. If more puts wait than the
// client's option `begun` allows, the next one gets Overloaded.
class ItemQueue {
 public:
  // Waits for an item, and takes it. Takers are served in the order in which they came.
  Result<QueueItem> take() { return take_for({}); }
  // OperationTimeout if that takes longer; 0: without a limit.
  Result<QueueItem> take_for(std::chrono::milliseconds timeout) {
    return block_elsewhere<QueueItem>(
        *core_, [&](auto handler) { async_take_for(timeout, std::move(handler)); });
  }
  // The completion signature is void(Error, QueueItem). A cancelled take gives its item back.
  template <typename Token>
  auto async_take(Token&& token) {
    return async_take_for({}, std::forward<Token>(token));
  }
  template <typename Token>
  auto async_take_for(std::chrono::milliseconds timeout, Token&& token) {
    return begin_call<QueueItem>(
        core_->executor(),
        [core = core_, queue = queue_] { return std::make_shared<TakeRun>(core, queue); },
        [](TakeRun& run, const RecipeCall<QueueItem>& call) { run.start(call); }, timeout,
        std::forward<Token>(token));
  }
  // The number of the producer's last item that was put.
  Result<PutReady> last() {
    return block_elsewhere<PutReady>(*core_, [&](auto handler) { async_last(std::move(handler)); });
  }
  template <typename Token>
  auto async_last(Token&& token) {
    return begin_call<PutReady>(
        core_->executor(), [run = run_] { return run; },
        [](ProducerRun& run, const RecipeCall<PutReady>& call) { run.begin(call); }, {},
        std::forward<Token>(token));
  }

 protected:
  // Throws std::invalid_argument if the producer has another form.
  ItemQueue(const AsyncCalls& client, WorkQueue queue, QueueSettings settings);

  Result<PutDone> put_item(std::uint64_t number, wire::Bytes data, std::int64_t due_ms) {
    return block_elsewhere<PutDone>(*core_, [&](auto handler) {
      async_put_item(number, std::move(data), due_ms, std::move(handler));
    });
  }
  template <typename Token>
  auto async_put_item(std::uint64_t number, wire::Bytes data, std::int64_t due_ms, Token&& token) {
    return begin_call<PutDone>(
        core_->executor(), [run = run_] { return run; },
        [number, data = std::move(data), due_ms](ProducerRun& run,
                                                 const RecipeCall<PutDone>& call) {
          run.put(number, data, due_ms, call);
        },
        {}, std::forward<Token>(token));
  }

 private:
  std::shared_ptr<Core> core_;
  WorkQueue queue_;
  std::shared_ptr<ProducerRun> run_;
};

// Items are handed out in the order in which they were put.
class Queue : public ItemQueue {
 public:
  Queue(const AsyncCalls& client, std::string path, QueueSettings settings = {})
      : ItemQueue(client, work_queue(std::move(path)), std::move(settings)) {}

  Result<PutDone> put(wire::Bytes data) { return put_item(0, std::move(data), 0); }
  // The same for an item that may be put again, also by a program that has started again: see
  // `last`. Its number is greater than that of the producer's item before it.
  Result<PutDone> put_numbered(std::uint64_t number, wire::Bytes data) {
    return put_item(number, std::move(data), 0);
  }
  // The completion signature is void(Error, PutDone). A cancelled put goes on in the background.
  template <typename Token>
  auto async_put(wire::Bytes data, Token&& token) {
    return async_put_item(0, std::move(data), 0, std::forward<Token>(token));
  }
  template <typename Token>
  auto async_put_numbered(std::uint64_t number, wire::Bytes data, Token&& token) {
    return async_put_item(number, std::move(data), 0, std::forward<Token>(token));
  }
};

// No item is handed out before its due time, by the system's clock of the taker.
class DelayQueue : public ItemQueue {
 public:
  using Time = std::chrono::system_clock::time_point;

  DelayQueue(const AsyncCalls& client, std::string path, QueueSettings settings = {})
      : ItemQueue(client, delay_queue(std::move(path)), std::move(settings)) {}

  // As of Queue. A due time before 1970 counts as 1970.
  Result<PutDone> put(wire::Bytes data, Time due) {
    return put_item(0, std::move(data), in_ms(due));
  }
  Result<PutDone> put_numbered(std::uint64_t number, wire::Bytes data, Time due) {
    return put_item(number, std::move(data), in_ms(due));
  }
  template <typename Token>
  auto async_put(wire::Bytes data, Time due, Token&& token) {
    return async_put_item(0, std::move(data), in_ms(due), std::forward<Token>(token));
  }
  template <typename Token>
  auto async_put_numbered(std::uint64_t number, wire::Bytes data, Time due, Token&& token) {
    return async_put_item(number, std::move(data), in_ms(due), std::forward<Token>(token));
  }

 private:
  // Rounded up, so that it is not handed out early.
  [[nodiscard]] static std::int64_t in_ms(Time due);
};

}  // namespace zabkeeper
