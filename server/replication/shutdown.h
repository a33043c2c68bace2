#pragma once

#include <functional>

#include <boost/asio/steady_timer.hpp>

#include "server/checkpoints/checkpointer.h"
#include "server/clients/listener.h"
#include "server/peers/links.h"
#include "server/pipeline/pipeline.h"
#include "server/replication/handover.h"
#include "server/replication/options.h"
#include "server/replication/ticker.h"

namespace server {

// Ends a server in two steps: `drain`, then `stop`.
class Shutdown {
 public:
  // The parts that must be ended. All of them must outlive this object.
  struct Parts {
    Listener& listener;
    Pipeline& pipeline;
    Handover& handover;
    Ticker& ticker;
    Links& links;
    Checkpointer& checkpointer;
  };

  Shutdown(boost::asio::io_context& io, const ReplicationOptions& options, Parts parts);

  // If this server leads an ensemble, hands the lead over first, so that no election is needed.
  // Then answers the requests that clients have sent, and accepts no new ones. Calls `done` once,
  // when that is finished, or after `shutdown_handover_timeout`, half a second and
  // `answers_timeout` together.
  void drain(std::function<void()> done);

  // Closes all connections and takes a last checkpoint. The io_context runs out of work once
  // everything is closed.
  void stop();

 private:
  void drain_clients(std::function<void()> done);
  void wait_for_answers(SteadyClock::time_point deadline, std::function<void()> done);

  ReplicationOptions options_;
  Parts parts_;
  boost::asio::steady_timer timer_;
};

}  // namespace server
