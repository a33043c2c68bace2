#include "tools/shell/interruptible.h"

#include <chrono>
#include <future>
#include <memory>
#include <utility>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/post.hpp>

#include "tools/shell/runner.h"

namespace shell {
namespace {

constexpr std::chrono::milliseconds look_interval{50};

// Shared with the client's thread, which alone uses the signal.
struct Interruptible {
  std::promise<zabkeeper::AnyReply> promise;
  boost::asio::cancellation_signal signal;
};

}  // namespace

zabkeeper::AnyReply ask_until_interrupted(const zabkeeper::Calls& calls, wire::Request request) {
  const auto shared = std::make_shared<Interruptible>();
  std::future<zabkeeper::AnyReply> reply = shared->promise.get_future();
  boost::asio::post(calls.get_executor(), [shared, calls, request = std::move(request)]() mutable {
    calls.async_ask(std::move(request),
                    boost::asio::bind_cancellation_slot(shared->signal.slot(),
                                                        [shared](zabkeeper::AnyReply any) {
                                                          shared->promise.set_value(std::move(any));
                                                        }));
  });
  bool is_cancelled = false;
  while (reply.wait_for(look_interval) != std::future_status::ready) {
    if (!interrupted || std::exchange(is_cancelled, true)) continue;
    boost::asio::post(calls.get_executor(),
                      [shared] { shared->signal.emit(boost::asio::cancellation_type::terminal); });
  }
  return reply.get();
}

}  // namespace shell
