#pragma once

#include <boost/asio/steady_timer.hpp>

#include "server/checkpoints/checkpointer.h"
#include "server/pipeline/pipeline.h"
#include "server/replication/options.h"

namespace server {

// Turns the clock into ticks: one for the protocol, the pipeline and the checkpointer in each
// heartbeat interval.
class Ticker {
 public:
  // All of them outlive this.
  Ticker(boost::asio::io_context& io, const ReplicationOptions& options, Environment& environment,
         Pipeline& pipeline, Checkpointer& checkpointer);

  // The first tick comes one interval later.
  void start();
  // Nothing ticks afterwards.
  void stop();

 private:
  void tick();

  ReplicationOptions options_;
  Environment& environment_;
  Pipeline& pipeline_;
  Checkpointer& checkpointer_;
  boost::asio::steady_timer timer_;
  bool stopped_ = false;
};

}  // namespace server
