#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>

#include "server/admin/status_reader.h"
#include "server/budgets/ledger.h"
#include "server/checkpoints/checkpointer.h"
#include "server/checkpoints/incoming_snapshot.h"
#include "server/clients/listener.h"
#include "server/config/config.h"
#include "server/peers/links.h"
#include "server/pipeline/pipeline.h"
#include "server/replication/driver.h"
#include "server/replication/halted_lead.h"
#include "server/replication/handover.h"
#include "server/replication/log_writer.h"
#include "server/replication/server_environment.h"
#include "server/replication/shutdown.h"
#include "server/replication/ticker.h"
#include "server/startup/recovered_state.h"

namespace server {

// One server: builds the rooms' parts, connects them, and runs them on the event loop's one thread.
// The protocol core (in Driver) and the service (in Pipeline) are values; the parts around them do
// the input and output.
class Server {
 public:
  // Opens the data directory, binds the ports, and begins to look for a leader. An error says what
  // an operator is to do. The budgets of clients are parts of `memory_limit`, in bytes.
  [[nodiscard]] static wire::Result<std::unique_ptr<Server>> start(boost::asio::io_context& io,
                                                                   Config config,
                                                                   std::uint64_t memory_limit);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // See Shutdown: first `drain`, then `stop`.
  void drain(std::function<void()> done) { shutdown_.drain(std::move(done)); }
  void stop() {
    halted_lead_.stop();
    shutdown_.stop();
  }

  // See status_text.
  [[nodiscard]] std::string status() { return status_text(status_parts()); }

  // The address that clients connect to, with the port that was bound.
  [[nodiscard]] const Address& web() const { return listener_.bound(); }

 private:
  Server(boost::asio::io_context& io, Config config, std::uint64_t memory_limit,
         RecoveredState found);
  // Binds the ports, then starts the protocol and its ticks.
  [[nodiscard]] wire::Result<void> run();
  // What the status and the metrics are read from.
  [[nodiscard]] StatusParts status_parts();

  boost::asio::io_context& io_;
  Config config_;
  std::unique_ptr<storage::Lock> lock_;  // on the data directory
  const std::shared_ptr<Ledger> ledger_;
  DiskReader disk_;
  ServerEnvironment environment_;
  Pipeline pipeline_;
  SharedCheckpoint checkpoint_;
  IncomingSnapshot incoming_;
  LogWriter log_;
  Checkpointer checkpointer_;
  Links links_;
  Driver driver_;
  Handover handover_;
  HaltedLead halted_lead_;
  Ticker ticker_;
  Listener listener_;
  Shutdown shutdown_;
};

}  // namespace server
