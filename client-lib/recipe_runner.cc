#include "client-lib/recipe_runner.h"

#include <chrono>
#include <random>
#include <utility>
#include <variant>

#include <boost/system/error_code.hpp>

#include "wire/leaves_watch.h"
#include "wire/zxid.h"

namespace zabkeeper {

namespace {

// Random, so that clients that were refused together do not come back together.
std::chrono::milliseconds some_pause() {
  thread_local std::minstd_rand random(std::random_device{}());
  return std::chrono::milliseconds(50 + random() % 150);
}

}  // namespace

RecipeRunner::RecipeRunner(std::shared_ptr<Core> core)
    : core_(std::move(core)), pause_(core_->executor()) {}

void RecipeRunner::ask(Ask&& ask) {
  const auto self = shared_from_this();
  if (core_->has_ended()) {
    // Later, because the runner is carrying out the actions of a step.
    return boost::asio::post(executor(), [self] {
      if (!self->is_finished_) {
        self->client_ended({ErrorCode::session_expired, "the session of the client has ended"});
      }
    });
  }
  const std::uint64_t number = ask.number;
  OnEvent on_event;
  if (wire::leaves_watch(ask.request)) {
    on_event = [self, number](const Result<wire::WatchEvent>& event) {
      if (event) return self->received(number, *event);
      // The listener is told about the end of the session.
      self->watch_.reset();
      if (event.error().code != ErrorCode::session_expired) self->lost_watch();
    };
  }
  const auto on_reply = [self, number](AnyReply&& reply) {
    const auto* watch = reply.result ? std::get_if<wire::WatchReply>(&*reply.result) : nullptr;
    if (watch != nullptr) self->watch_ = watch->watch;
    self->replied(number, std::move(reply));
  };
  const auto deliver = [](const auto& handler, AnyReply&& reply) { handler(std::move(reply)); };
  using Done =
      HandlerCompletion<decltype(on_reply), decltype(deliver), boost::asio::any_io_executor>;
  core_->begin(core_->next_id(),
               {std::move(ask.request), std::move(on_event), std::move(ask.conditions)},
               Done::make(on_reply, deliver, core_->executor()), Core::Face::blocking);
}

void RecipeRunner::pause() {
  pause_.expires_after(some_pause());
  pause_.async_wait([self = shared_from_this()](boost::system::error_code error) {
    if (!error && !self->is_finished_) self->resumed();
  });
}

void RecipeRunner::finish() {
  is_finished_ = true;
  pause_.cancel();
  core_->unlisten(*this);
}

void RecipeRunner::unwatch() {
  if (!watch_) return;
  core_->begin(core_->next_id(), {wire::UnwatchRequest{*std::exchange(watch_, std::nullopt)}}, {},
               Core::Face::blocking);
}

std::string random_id() {
  std::random_device device;
  std::string id;
  for (int i = 0; i < 2; ++i) {
    id += wire::to_hex((std::uint64_t{device()} << 32) | device());
  }
  return id;
}

}  // namespace zabkeeper
