#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "server/budgets/ledger.h"
#include "server/metrics/readings.h"
#include "server/pipeline/client_index.h"
#include "server/pipeline/environment.h"
#include "server/pipeline/options.h"
#include "server/pipeline/pending.h"
#include "server/pipeline/replica.h"
#include "server/pipeline/slices.h"

namespace server {

// Sends replies and events to clients. Each client's replies leave in the order of its requests,
// and each read is performed when all requests before it are answered.
class Replies {
 public:
  // All of them live as long as this does. At `max_outstanding_requests` a client is not read from.
  Replies(ClientIndex& clients, Pending& pending, Replica& replica, Environment& environment,
          Ledger& ledger, const PipelineOptions& options);

  // A reply that is known at once, in its request's place in the order.
  void reply_now(Client& client, const wire::ClientRequest& request,
                 wire::Result<wire::ReplyBody> body, Arrival arrived);
  // The same, for a request that cannot be parsed.
  void refuse_malformed(Client& client, wire::BadRequest bad, Arrival arrived);
  // A read of what this server has applied.
  void read_local(Client& client, QueuedRead read);

  // A write, or anything else that the leader orders: it is answered by `reply` or `refuse`, under
  // the tag that this returns.
  [[nodiscard]] std::uint64_t hold_write(Client& client, wire::ClientRequest request,
                                         Arrival arrived);
  // A read that also waits for `release_read`, under the tag that this returns.
  [[nodiscard]] std::uint64_t hold_read(Client& client, QueuedRead read);
  // A read that also waits until its `at_least` is applied, but for `ticks_max` at most.
  void hold_read_at_least(Client& client, QueuedRead read, std::uint64_t ticks_max);

  // The outcome of the request that waits under `tag`. Nothing happens if none does.
  void reply(std::uint64_t tag, wire::Result<wire::ReplyBody> body);
  // The same, of a request that the leader refused. A refused `connect` ends its connection.
  void refuse(std::uint64_t tag, const session::Refusal& refusal);
  // The read under `tag` waits for nothing but its place in the order.
  void release_read(std::uint64_t tag);
  // The same, of all reads that wait for a zxid that is applied.
  void release_caught_up_reads();
  // Refuses all reads whose zxid was not applied in time.
  void refuse_late_reads();
  // The write of `origin`, one of this server's clients, is about to be applied.
  void read_before(const session::Origin& origin);

  // Sends the events of watches, of a transaction that is being applied.
  [[nodiscard]] const session::EventSink& event_sink() const { return sink_; }
  // These sessions lag: their watches are suspended (session::Watches). A session's watches resume
  // once its client has received enough; then it gets a `resync` for each. Its reads wait for that.
  void lag(const std::vector<wire::SessionId>& sessions);
  // Refuses the first request, `connect` or another, and disconnects.
  void refuse_connect(Client& client, const wire::Error& error);
  // The client's session belongs to another connection now.
  void displace(Client& client);

  // Sends what is ready, and disconnects a client with an `ending` once all is answered. A client
  // that does not receive what waits for it is held back: then its reads wait.
  void flush(Client& client);

  // A later turn of the event loop: the client, if any, that goes on now. The caller flushes it.
  [[nodiscard]] Client* next_turn();

  // Whether so many replies of the client wait behind an unanswered request that further large
  // replies to writes are left out.
  [[nodiscard]] bool keeps_no_more(const Client& client) const {
    return client.kept.bytes() >= waiting_mark_;
  }
  // Whether the server's budget of requests has room for one more of this client.
  [[nodiscard]] static bool has_room(const Client& client, Arrival arrived) {
    return client.requests.fits_server(arrived.bytes);
  }
  // The error of a request for which there is no room. Counts it.
  [[nodiscard]] wire::Error overloaded(Budget budget);
  // If nearly all of the server's budget waits for clients, closes those for which most waits.
  void relieve();

  [[nodiscard]] RequestCounters& counters() { return counters_; }
  // Counts, and what waits now, for GET /metrics. Looks at every client.
  void read(Readings& readings) const;

 private:
  [[nodiscard]] bool send_event(wire::SessionId session, wire::WatchEvent&& event);
  // Resumes the watches of a client that lags, if there is room, or in any case.
  enum class Resume : std::uint8_t { if_room, always };
  void resume_watches(Client& client, Resume when);
  void push(Client& client, QueuedReply reply);
  // Counts a reply that waits in the order.
  void keep(Client& client, QueuedReply& reply) const;
  [[nodiscard]] QueuedReply read(Client& client, const QueuedRead& read);
  void stamp(Client& client, wire::Reply& reply) const;
  // Gives the request's bytes back, counts an error, and hands the reply to the connection.
  void hand_over(Client& client, QueuedReply&& reply);
  // The same, and notes how long the request took.
  void send(Client& client, QueuedReply&& reply);
  // Performs a read and hands its reply over. Returns false, and does nothing, if the reply has no
  // room while other replies wait for the client.
  [[nodiscard]] bool perform(Client& client, const QueuedRead& due);
  // The same, notes how long the request took, and charges its client for the work.
  [[nodiscard]] bool send(Client& client, const QueuedRead& due);
  void observe(const RequestTiming& timing, SteadyClock::time_point now);
  // Whether, and until when, a client is held back now.
  [[nodiscard]] Client::HeldBack held_back(const Client& client) const;
  void apply_backpressure(Client& client);

  ClientIndex& clients_;
  Pending& pending_;
  Replica& replica_;
  Environment& environment_;
  Ledger& ledger_;
  Slices slices_;
  const session::EventSink sink_;
  std::size_t outstanding_max_;
  std::size_t request_bytes_max_;        // of one client
  std::size_t waiting_mark_;             // at which a client is held back
  SteadyClock::duration early_reads_{};  // before writes, in this turn of the event loop
  RequestCounters counters_;
};

}  // namespace server
