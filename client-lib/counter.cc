#include "client-lib/counter.h"

#include <algorithm>
#include <stdexcept>

#include "client-lib/recipes/queue.h"

namespace zabkeeper {

void CounterRun::begin(const RecipeCall<CounterReady>& call) {
  enqueue(call, [this, call] {
    beginning_ = call;
    return recipe().begin();
  });
}

void CounterRun::add(std::uint64_t number, std::int64_t amount,
                     const RecipeCall<CounterAdded>& call) {
  enqueue(call, [this, number, amount, call] {
    adding_ = call;
    last_ = number == 0 ? last_ + 1 : number;
    return recipe().add(last_, amount);
  });
}

void CounterRun::read(const RecipeCall<CounterRead>& call) {
  enqueue(call, [this, call] {
    reading_ = call;
    return recipe().read();
  });
}

void CounterRun::told(const CounterReady& ready) {
  last_ = std::max(last_, ready.last);
  beginning_.answer({}, ready);
}

void CounterRun::told(const CounterFailed& failed) {
  const Error error = error_of_failure(failed.error, failed.may_be_done);
  beginning_.answer(error);
  adding_.answer(error);
  reading_.answer(error);
}

Counter::Counter(const AsyncCalls& client, std::string path, CounterSettings settings)
    : core_(client.core()) {
  if (settings.owner.empty()) settings.owner = random_id();
  if (!is_id(settings.owner)) {
    throw std::invalid_argument("the owner of additions to a counter is 32 hex digits");
  }
  run_ = std::make_shared<CounterRun>(
      core_, CounterOwner({std::move(path), std::move(settings.owner), settings.receipt_ttl_ms}));
}

}  // namespace zabkeeper
