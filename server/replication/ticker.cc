#include "server/replication/ticker.h"

#include <boost/asio/io_context.hpp>

#include "server/logging/limited_log.h"

namespace server {

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
}

}  // namespace server
