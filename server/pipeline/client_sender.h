#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "server/budgets/ledger.h"
#include "server/metrics/readings.h"
#include "server/pipeline/client_index.h"
#include "server/pipeline/environment.h"
#include "server/pipeline/index_waiters.h"
#include "server/pipeline/options.h"
#include "server/pipeline/replica.h"
#include "server/pipeline/slices.h"
#include "server/pipeline/touch_intervals.h"

namespace server {

// Sends to each client what is due: replies in the order of its requests, and events. A read is
// performed here, when all requests before it are answered. A client that does not receive what
// waits for it is held back: then its reads wait, and it is not read from.
class ClientSender {
 public:
  // All of them live as long as this does. At `max_outstanding_requests` a client is not read from.
  ClientSender(ClientIndex& clients, Replica& replica, const TouchIntervals& touch_intervals,
               Environment& environment, Ledger& ledger, IndexWaiters& index_waiters,
               const PipelineOptions& options);

  // Sends what is ready, and disconnects a client with an `ending` once all is answered.
  void flush(Client& client);
  // Performs a read. If it sets a watch that begins in the past, sends the missed events.
  [[nodiscard]] QueuedReply read(Client& client, const QueuedRead& read);
  // A later turn of the event loop: the client, if any, that goes on now. The caller flushes it.
  [[nodiscard]] Client* next_turn();

  // Sends the events of watches, of a transaction that is being applied.
  [[nodiscard]] const session::EventSink& event_sink() const { return sink_; }
  // These sessions lag: their watches are suspended (session::Watches). A session's watches resume
  // once its client has received enough; then it gets a `resync` for each. Its reads wait for that.
  void lag(const std::vector<wire::SessionId>& sessions);
  // Resumes the watches of a client that lags.
  void resume_watches(Client& client);

  // A part of an index took so long. The clients that wait for an index pay for it, in equal parts.
  void charge_index_waiters(SteadyClock::duration took);

  // Whether so many replies of the client wait behind an unanswered request that further large
  // replies to writes are left out.
  [[nodiscard]] bool keeps_no_more(const Client& client) const {
    return client.kept.bytes() >= waiting_mark_;
  }
  // The error of a request for which there is no room. Counts it.
  [[nodiscard]] wire::Error overloaded(Budget budget);
  // If nearly all of the server's budget waits for clients, closes those for which most waits.
  void relieve();

  // The error of a request of a client whose session has another connection now.
  [[nodiscard]] static wire::Error session_moved() {
    return {wire::ErrorCode::session_moved, "the session moved to another connection"};
  }

  [[nodiscard]] RequestCounters& counters() { return counters_; }
  // Counts, and what waits now, for GET /metrics. Looks at every client.
  void read(Readings& readings) const;

 private:
  [[nodiscard]] bool send_event(wire::SessionId session, wire::WatchEvent&& event);
  // The client gets so many bytes of events, outside of a read.
  void charge_events(Client& client, std::size_t bytes);
  // Sends the reply to a create that asks for a turn, and sets its watch.
  void send_with_turn(Client& client, QueuedReply&& reply);
  // Sends the events since the `from` of a watch, before the reply to `request`, which sets it. If
  // they have no room, one `resync` stands for all of them.
  void send_missed(Client& client, const wire::Request& request,
                   std::vector<wire::WatchEvent> events);
  void resume_watches_if_room(Client& client);
  void stamp(Client& client, wire::Reply& reply) const;
  [[nodiscard]] static wire::Zxid zxid_of_next(const Client& client);
  // Gives the request's bytes back, counts an error, and hands the reply to the connection.
  void hand_over(Client& client, QueuedReply&& reply);
  // The same, and notes how long the request took.
  void send(Client& client, QueuedReply&& reply);
  // Performs a read and hands its reply over. Returns false, and does nothing, if it waits for an
  // index, or if the reply has no room while other replies wait for the client.
  [[nodiscard]] bool perform(Client& client, const QueuedRead& due);
  // The same, notes how long the request took, and charges its client for the work.
  [[nodiscard]] bool send(Client& client, const QueuedRead& due);
  void observe(const RequestTiming& timing, SteadyClock::time_point now);
  // Whether, and until when, a client is held back now.
  [[nodiscard]] Client::HeldBack held_back(const Client& client) const;
  void apply_backpressure(Client& client);

  ClientIndex& clients_;
  Replica& replica_;
  const TouchIntervals& touch_intervals_;
  Environment& environment_;
  Ledger& ledger_;
  IndexWaiters& index_waiters_;
  Slices slices_;
  const session::EventSink sink_;
  std::size_t outstanding_max_;
  std::size_t request_bytes_max_;  // of one client
  std::size_t waiting_mark_;       // at which a client is held back
  RequestCounters counters_;
};

}  // namespace server
