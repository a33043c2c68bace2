#include "client-lib/recipes/counter.h"

#include <charconv>
#include <optional>
#include <utility>

#include "client-lib/recipes/outcome.h"
#include "client-lib/recipes/queue.h"
#include "wire/ensure.h"

namespace zabkeeper {
namespace {

using wire::ErrorCode;

// A node that was created as a parent is empty.
std::optional<std::int64_t> value_of(std::string_view data) {
  std::int64_t value = 0;
  const auto end = data.data() + data.size();
  const auto parsed = std::from_chars(data.data(), end, value);
  if (!data.empty() && (parsed.ec != std::errc{} || parsed.ptr != end)) return std::nullopt;
  return value;
}

}  // namespace

CounterOwner::CounterOwner(CounterOptions options)
    : options_(std::move(options)),
      once_({options_.path, options_.id, options_.receipt_ttl_ms, true}) {}

// --- Calls ---

void CounterOwner::begin_call(Call call) {
  ensure(is_idle(), "a counter has one call at a time");
  call_ = call;
}

CounterActions CounterOwner::begin() {
  CounterActions actions;
  begin_call(Call::begin);
  take(once_.inspect(), actions);
  return actions;
}

CounterActions CounterOwner::add(std::uint64_t number, std::int64_t amount) {
  CounterActions actions;
  ensure(number > 0, "the number of an addition is at least 1");
  begin_call(Call::add);
  number_ = number;
  amount_ = amount;
  take(once_.begin(number), actions);
  return actions;
}

CounterActions CounterOwner::read() {
  CounterActions actions;
  begin_call(Call::read);
  ask_value(actions);
  return actions;
}

CounterActions CounterOwner::session_lost() {
  CounterActions actions;
  if (call_ == Call::read) {
    ask_value(actions);
  } else if (call_ != Call::none) {
    take(once_.session_lost(), actions);
  }
  return actions;
}

CounterActions CounterOwner::again() {
  CounterActions actions;
  if (call_ == Call::read) {
    if (reading_ == 0) ask_value(actions);
  } else if (call_ != Call::none) {
    take(once_.again(), actions);
  }
  return actions;
}

CounterActions CounterOwner::give_up(wire::Error why) {
  CounterActions actions;
  if (call_ == Call::read) {
    reading_ = 0;
    fail(std::move(why), false, actions);
  } else if (call_ != Call::none) {
    take(once_.give_up(std::move(why)), actions);
  }
  return actions;
}

CounterActions CounterOwner::replied(std::uint64_t number, const Result& result, wire::Zxid zxid) {
  CounterActions actions;
  if (number != 0 && number == reading_) {
    reading_ = 0;
    on_value(result, zxid, actions);
  } else {
    take(once_.replied(number, result), actions);
  }
  return actions;
}

// --- Additions ---

void CounterOwner::take(ExactlyOnce::Step step, CounterActions& actions) {
  if (auto* ask = std::get_if<Ask>(&step)) actions.emplace_back(std::move(*ask));
  if (std::holds_alternative<Pause>(step)) actions.emplace_back(Pause{});
  if (auto* failed = std::get_if<ExactlyOnce::Failed>(&step)) {
    fail(std::move(failed->error), failed->may_be_done, actions);
  }
  if (std::holds_alternative<ExactlyOnce::Done>(step)) {
    call_ = Call::none;
    actions.emplace_back(CounterAdded{number_, value_of(once_.receipt().result).value_or(0)});
  }
  if (std::holds_alternative<ExactlyOnce::Ready>(step)) write(actions);
}

void CounterOwner::write(CounterActions& actions) {
  const auto value = value_of(once_.folder());
  if (!value) {
    const std::string why = "the data of " + options_.path + " are no number";
    return fail({ErrorCode::bad_arguments, why}, once_.may_be_done(), actions);
  }
  if (call_ == Call::begin) {
    call_ = Call::none;
    actions.emplace_back(CounterReady{once_.receipt().number, *value});
    return;
  }
  std::int64_t sum = 0;
  if (__builtin_add_overflow(*value, amount_, &sum)) {
    const std::string why = "the sum has more than 64 bits";
    return fail({ErrorCode::bad_arguments, why}, once_.may_be_done(), actions);
  }
  const std::string text = std::to_string(sum);
  take(once_.write({number_, text, text}), actions);
}

// --- The value ---

void CounterOwner::ask_value(CounterActions& actions) {
  wire::GetRequest request{options_.path, {}};
  request.read.consistency = wire::Linearizable{};
  reading_ = once_.next_number();
  actions.emplace_back(Ask{reading_, std::move(request)});
}

void CounterOwner::on_value(const Result& result, wire::Zxid zxid, CounterActions& actions) {
  const auto* got = reply_of<wire::GetReply>(result);
  if (got == nullptr && !is_error(result, ErrorCode::no_node)) {
    if (is_unknown(result)) return ask_value(actions);
    const wire::Error error = error_of(result);
    if (!is_temporary(error.code)) return fail(error, false, actions);
    actions.emplace_back(Pause{});
    return;
  }
  const auto value = value_of(got == nullptr ? std::string_view() : got->data);
  if (!value) {
    const std::string why = "the data of " + options_.path + " are no number";
    return fail({ErrorCode::bad_arguments, why}, false, actions);
  }
  call_ = Call::none;
  actions.emplace_back(CounterRead{*value, zxid});
}

void CounterOwner::fail(wire::Error error, bool may_be_done, CounterActions& actions) {
  call_ = Call::none;
  actions.emplace_back(CounterFailed{std::move(error), may_be_done});
}

}  // namespace zabkeeper
