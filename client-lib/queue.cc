#include "client-lib/queue.h"

#include <algorithm>
#include <stdexcept>

#include "client-lib/recipes/queue.h"

namespace zabkeeper {

void ProducerRun::begin(const RecipeCall<PutReady>& call) {
  enqueue(call, [this, call] {
    beginning_ = call;
    return recipe().begin();
  });
}

void ProducerRun::put(std::uint64_t number, wire::Bytes data, std::int64_t due_ms,
                      const RecipeCall<PutDone>& call) {
  enqueue(call, [this, number, data = std::move(data), due_ms, call]() mutable {
    putting_ = call;
    last_ = number == 0 ? last_ + 1 : number;
    return recipe().put(last_, std::move(data), due_ms);
  });
}

void ProducerRun::told(const PutReady& ready) {
  last_ = std::max(last_, ready.last);
  beginning_.answer({}, ready);
}

void ProducerRun::told(const PutFailed& failed) {
  const Error error = error_of_failure(failed.error, failed.may_be_done);
  beginning_.answer(error);
  putting_.answer(error);
}

ItemQueue::ItemQueue(const AsyncCalls& client, WorkQueue queue, QueueSettings settings)
    : core_(client.core()), queue_(std::move(queue)) {
  if (settings.producer.empty()) settings.producer = random_id();
  if (!is_id(settings.producer)) {
    throw std::invalid_argument("the producer of a queue is 32 hex digits");
  }
  run_ = std::make_shared<ProducerRun>(
      core_, QueueProducer({queue_, std::move(settings.producer), settings.receipt_ttl_ms}));
}

std::int64_t DelayQueue::in_ms(Time due) {
  using std::chrono::milliseconds;
  const auto since = std::chrono::ceil<milliseconds>(due.time_since_epoch());
  return std::max<std::int64_t>(0, since.count());
}

}  // namespace zabkeeper
