#include "client-lib/recipes/queue_producer.h"

#include <utility>

#include "wire/ensure.h"

namespace zabkeeper {

QueueProducer::QueueProducer(QueueProducerOptions options)
    : queue_(std::move(options.queue)),
      once_({queue_.puts(), std::move(options.id), options.receipt_ttl_ms}) {}

PutActions QueueProducer::begin() {
  PutActions actions;
  ensure(!is_busy_, "a producer has one call at a time");
  is_busy_ = true;
  number_ = 0;
  take(once_.inspect(), actions);
  return actions;
}

PutActions QueueProducer::put(std::uint64_t number, wire::Bytes data, std::int64_t due_ms) {
  PutActions actions;
  ensure(!is_busy_, "a producer has one call at a time");
  ensure(number > 0, "the number of an item is at least 1");
  is_busy_ = true;
  number_ = number;
  data_ = std::move(data);
  due_ms_ = due_ms;
  take(once_.begin(number), actions);
  return actions;
}

PutActions QueueProducer::replied(std::uint64_t number, const wire::Result<wire::ReplyBody>& result,
                                  wire::Zxid) {
  PutActions actions;
  take(once_.replied(number, result), actions);
  return actions;
}

PutActions QueueProducer::session_lost() {
  PutActions actions;
  take(once_.session_lost(), actions);
  return actions;
}

PutActions QueueProducer::again() {
  PutActions actions;
  take(once_.again(), actions);
  return actions;
}

PutActions QueueProducer::give_up(wire::Error why) {
  PutActions actions;
  take(once_.give_up(std::move(why)), actions);
  return actions;
}

void QueueProducer::take(ExactlyOnce::Step step, PutActions& actions) {
  if (auto* ask = std::get_if<Ask>(&step)) actions.emplace_back(std::move(*ask));
  if (std::holds_alternative<Pause>(step)) actions.emplace_back(Pause{});
  if (auto* failed = std::get_if<ExactlyOnce::Failed>(&step)) {
    is_busy_ = false;
    actions.emplace_back(PutFailed{std::move(failed->error), failed->may_be_done});
  }
  if (std::holds_alternative<ExactlyOnce::Done>(step)) {
    is_busy_ = false;
    actions.emplace_back(PutDone{number_});
  }
  if (!std::holds_alternative<ExactlyOnce::Ready>(step)) return;
  if (number_ == 0) {
    is_busy_ = false;
    actions.emplace_back(PutReady{once_.receipt().number});
    return;
  }
  wire::CreateRequest item;
  item.path = queue_.new_item(due_ms_);
  item.data = data_;
  item.sequential = true;
  item.parents = true;
  take(once_.write({number_, {}, {}, {std::move(item)}}), actions);
}

}  // namespace zabkeeper
