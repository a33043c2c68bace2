#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "server/budgets/ledger.h"
#include "server/clients/handler.h"
#include "server/metrics/readings.h"
#include "server/pipeline/client_index.h"
#include "server/pipeline/drain.h"
#include "server/pipeline/ensemble_clock.h"
#include "server/pipeline/environment.h"
#include "server/pipeline/index_waiters.h"
#include "server/pipeline/intake.h"
#include "server/pipeline/level_changes.h"
#include "server/pipeline/options.h"
#include "server/pipeline/ordering.h"
#include "server/pipeline/pending.h"
#include "server/pipeline/replica.h"
#include "server/pipeline/replies.h"
#include "server/pipeline/session_ends.h"
#include "server/pipeline/session_list.h"
#include "server/pipeline/session_setup.h"
#include "server/pipeline/touch_intervals.h"
#include "server/pipeline/watch_charges.h"
#include "session/service.h"

namespace server {

// From a client's request to its reply. Joins the parts in this directory, each of which owns its
// state. Everything runs on the event loop's one thread.
class Pipeline : public ClientHandler {
 public:
  // `environment` lives as long as this does. Connections and tags are numbered from
  // `first_number` on. It is random, so that no number is used twice, across restarts too.
  Pipeline(PipelineOptions options, std::uint64_t first_number, Environment& environment,
           std::shared_ptr<Ledger> ledger);

  // From clients.
  void opened(const std::shared_ptr<ClientConnection>& connection) override;
  void received(ClientConnection& connection, wire::ParsedFrame frame) override;
  void alive(ClientConnection& connection) override;
  void closed(ClientConnection& connection) override;
  void sent(ClientConnection& connection) override;

  // A later turn of the event loop: postponed work goes on. See Environment::call_soon.
  void go_on();

  // From the protocol. A committed transaction, in zxid order. If this program cannot apply it, the
  // server does not serve from then on: see `halt`.
  void deliver(const zab::Txn& txn);
  void confirmed(const zab::Confirmed& confirmed);
  // After everything that was delivered before the change.
  void role_changed(const zab::RoleStatus& role_status);
  // This server has adopted a snapshot. The transactions before it were not delivered here, so the
  // outcomes of outstanding requests are not known: all clients are redirected, and can find out
  // on another server.
  void restored(session::Service&& service);
  // One heartbeat interval has passed.
  void tick();

  // From the other servers.
  template <typename Message>
  void on(zab::ServerId from, const Message& message) {
    ordering_.on(from, message, intake_.outcomes());
    intake_.carry_out();
  }
  void on(zab::ServerId from, const ClockReading& reading) { clock_.on(from, reading); }

  // Changes the level of the ensemble for an operator: see LevelChanges::request.
  void set_level(wire::Level level, LevelChanges::Done done);

  // Ends a session for an operator: see SessionEnds::request.
  void end_session(wire::SessionId session, SessionEnds::Done done);
  [[nodiscard]] SessionPage list_sessions(const SessionPageRequest& request) const {
    return server::list_sessions(options_.id, replica_.service(), clients_, request);
  }

  // Sends all clients to other servers, for a stop: see drain.h. A drain ends soon if this server
  // follows a leader.
  [[nodiscard]] Drain& drain() { return drain_; }

  // The servers' URLs that are sent to clients from now on.
  void advertise(std::vector<std::string> urls) { options_.advertised = std::move(urls); }
  // The role that this server names to its clients.
  [[nodiscard]] wire::Role role() const { return client_role(options_, role_status().role); }

  // The state, for checkpoints and images, and why this server applies nothing any more.
  [[nodiscard]] Replica& replica() { return replica_; }
  [[nodiscard]] const Replica& replica() const { return replica_; }
  [[nodiscard]] const zab::RoleStatus& role_status() const { return ordering_.role_status(); }
  [[nodiscard]] std::size_t connections() const { return clients_.size(); }
  // The driver tells it of links to other servers.
  [[nodiscard]] EnsembleClock& clock() { return clock_; }
  [[nodiscard]] const EnsembleClock& clock() const { return clock_; }
  // Everything that GET /metrics shows of the pipeline. Looks at every client.
  void read(Readings& readings) const;

 private:
  void stop_serving();
  void reply(session::Applied& applied);

  PipelineOptions options_;
  Environment& environment_;
  const std::shared_ptr<Ledger> ledger_;
  ClientIndex clients_;
  Pending pending_;
  WatchCharges watch_charges_;
  TouchIntervals touch_intervals_;
  Replica replica_;
  IndexWaiters index_waiters_;
  ClientSender sender_;
  Replies replies_;
  EnsembleClock clock_;
  Ordering ordering_;
  LevelChanges levels_;
  SessionEnds session_ends_;
  SessionSetup session_setup_;
  Intake intake_;
  Drain drain_;
};

}  // namespace server
