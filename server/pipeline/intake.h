#pragma once

#include <optional>

#include "server/metrics/readings.h"
#include "server/pipeline/admission.h"
#include "server/pipeline/client_index.h"
#include "server/pipeline/client_sender.h"
#include "server/pipeline/environment.h"
#include "server/pipeline/options.h"
#include "server/pipeline/ordering.h"
#include "server/pipeline/pending.h"
#include "server/pipeline/replica.h"
#include "server/pipeline/replies.h"
#include "server/pipeline/session_setup.h"
#include "server/pipeline/touch_intervals.h"
#include "server/pipeline/when_applied.h"
#include "session/service.h"

namespace server {

// Begins the requests of clients, gives each client its session, and does what the ordering of
// their commands asks for.
class Intake {
 public:
  // All of them live as long as this does.
  Intake(const PipelineOptions& options, ClientIndex& clients, Pending& pending, Replica& replica,
         ClientSender& sender, Replies& replies, TouchIntervals& touch_intervals,
         Ordering& ordering, SessionSetup& session_setup, Environment& environment);

  // A request of the client arrived. It begins now, or once the client may begin another one.
  void take(Client& client, wire::ParsedRequest&& parsed, Arrival arrived);
  // Sends what is ready, and begins the requests that waited for that.
  void resume(Client& client);
  // The next step to a session. Only for a client that waits, while this server serves.
  void request_session(Client& client);
  void open_session(Client& client, wire::SessionId session, bool resumed);

  // The actions that Ordering asks for. Pass them to a call of Ordering, then call `carry_out`.
  [[nodiscard]] OrderingOutcomes& outcomes() { return outcomes_; }
  void carry_out();
  // An action whose zxid is applied.
  void perform(const WhenApplied::Action& due);

 private:
  void begin(Client& client, wire::ClientRequest&& request, Arrival arrived);
  void begin_early_requests(Client& client);
  // If the request is a create that asks for a turn: why it cannot be told.
  [[nodiscard]] std::optional<wire::Error> reserve_turn(const Client& client,
                                                        const wire::ClientRequest& request,
                                                        const Admission& admission);

  const PipelineOptions& options_;
  ClientIndex& clients_;
  Pending& pending_;
  Replica& replica_;
  ClientSender& sender_;
  Replies& replies_;
  TouchIntervals& touch_intervals_;
  Ordering& ordering_;
  SessionSetup& session_setup_;
  Environment& environment_;

  OrderingOutcomes outcomes_;  // empty between calls; a member so that its memory is reused
};

}  // namespace server
