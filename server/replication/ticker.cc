#include "server/replication/ticker.h"

#include <chrono>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <spdlog/spdlog.h>

#include "server/logging/limited_log.h"

namespace server {
namespace {

constexpr std::chrono::milliseconds clock_tolerance{10'000};  // between the machines of an ensemble

}  // namespace

Ticker::Ticker(boost::asio::io_context& io, const ReplicationOptions& options,
               Environment& environment, Pipeline& pipeline, Checkpointer& checkpointer)
    : options_(options),
      environment_(environment),
      pipeline_(pipeline),
      checkpointer_(checkpointer),
      timer_(io) {}

void Ticker::start() {
  timer_.expires_after(options_.heartbeat);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (error || stopped_) return;
    tick();
    start();
  });
}

void Ticker::stop() {
  stopped_ = true;
  timer_.cancel();
}

void Ticker::tick() {
  environment_.post(zab::Tick{});
  pipeline_.tick();
  checkpointer_.tick();
  limited_log().tick(environment_.now());
  check_clock();
}

// Warns once, and again only after the clock was right.
void Ticker::check_clock() {
  const std::chrono::milliseconds behind{pipeline_.service().time() - environment_.wall_clock()};
  if (behind < clock_tolerance) {
    clock_is_behind_ = false;
  } else if (!std::exchange(clock_is_behind_, true)) {
    spdlog::warn(
        "this machine's clock is {} s behind the time of the last transaction: set the clock, "
        "with NTP if possible. Nothing else is wrong, but while this server leads, ctime, mtime "
        "and the TTLs of nodes stand still until the clock has caught up",
        std::chrono::duration_cast<std::chrono::seconds>(behind).count());
  }
}

}  // namespace server
