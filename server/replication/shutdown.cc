#include "server/replication/shutdown.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include <boost/asio/io_context.hpp>

namespace server {
namespace {

constexpr auto reason = "the server shuts down";  // given to clients
constexpr std::chrono::milliseconds shutdown_handover_timeout{1000};
constexpr std::chrono::milliseconds answers_timeout{1000};
constexpr std::chrono::milliseconds answers_poll{5};

}  // namespace

Shutdown::Shutdown(boost::asio::io_context& io, const ReplicationOptions& options, Parts parts)
    : options_(options), parts_(parts), timer_(io) {}

void Shutdown::drain(std::function<void()> done) {
  if (options_.only_server || parts_.pipeline.role_status().role != zab::Role::leading) {
    return drain_clients(std::move(done));
  }
  parts_.handover.begin(
      {}, shutdown_handover_timeout, [this, done = std::move(done)](auto) mutable {
        // This server may be part of the new leader's quorum. So the other servers get time to
        // follow the new leader before this one stops.
        timer_.expires_after(std::min(2 * options_.heartbeat, std::chrono::milliseconds{500}));
        timer_.async_wait([this, done = std::move(done)](const auto&) mutable {
          drain_clients(std::move(done));
        });
      });
}

void Shutdown::drain_clients(std::function<void()> done) {
  parts_.listener.stop();
  parts_.pipeline.drain().begin(reason);
  wait_for_answers(SteadyClock::now() + answers_timeout, std::move(done));
}

void Shutdown::wait_for_answers(SteadyClock::time_point deadline, std::function<void()> done) {
  if (parts_.pipeline.drain().is_done() || SteadyClock::now() >= deadline) return done();
  timer_.expires_after(answers_poll);
  timer_.async_wait([this, deadline, done = std::move(done)](const auto&) mutable {
    wait_for_answers(deadline, std::move(done));
  });
}

void Shutdown::stop() {
  parts_.ticker.stop();
  parts_.listener.stop();
  parts_.pipeline.drain().redirect_from_now_on(reason);
  parts_.links.stop();
  // A last checkpoint: the next start then has nothing to replay.
  parts_.checkpointer.take([](const wire::Result<void>&) {});
}

}  // namespace server
