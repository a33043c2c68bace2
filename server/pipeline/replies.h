#pragma once

#include <cstdint>
#include <optional>

#include "server/metrics/readings.h"
#include "server/pipeline/client_index.h"
#include "server/pipeline/client_sender.h"
#include "server/pipeline/environment.h"
#include "server/pipeline/pending.h"
#include "server/pipeline/replica.h"

namespace server {

// Each request's place in the order of its client's requests, and its reply there once it is known.
// The ClientSender sends what is ready.
class Replies {
 public:
  // All of them live as long as this does.
  Replies(ClientIndex& clients, Pending& pending, Replica& replica, Environment& environment,
          ClientSender& sender);

  // A reply that is known at once, in its request's place in the order.
  void reply_now(Client& client, const wire::ClientRequest& request,
                 wire::Result<wire::ReplyBody> body, Arrival arrived);
  // The same, for a request that cannot be parsed, or for which there is no room.
  void refuse_malformed(Client& client, wire::BadRequest bad, Arrival arrived);
  // A read of what this server has applied.
  void read_local(Client& client, QueuedRead&& read);

  // A write, or anything else that the leader orders: it is answered by `reply` or `refuse`, under
  // the tag that this returns.
  [[nodiscard]] std::uint64_t hold_write(Client& client, wire::ClientRequest&& request,
                                         Arrival arrived);
  // A read that also waits for `release_read`, under the tag that this returns.
  [[nodiscard]] std::uint64_t hold_read(Client& client, QueuedRead&& read);
  // A read that also waits until its `at_least` is applied, but for `ticks_max` at most.
  void hold_read_at_least(Client& client, QueuedRead&& read, std::uint64_t ticks_max);

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
  // A later turn of the event loop has begun.
  void begin_turn() { early_reads_ = {}; }

  // Refuses the first request, `connect` or another, and disconnects.
  void refuse_connect(Client& client, const wire::Error& error);
  // The client's session belongs to another connection now.
  void displace(Client& client);

  // Whether the server's budget of requests has room for one more of this client.
  [[nodiscard]] static bool has_room(const Client& client, Arrival arrived) {
    return client.requests.fits_server(arrived.bytes);
  }

  [[nodiscard]] RequestCounters& counters() { return sender_.counters(); }
  // The requests that wait now, for GET /metrics.
  void read(Readings& readings) const;

 private:
  void push(Client& client, QueuedReply reply);
  [[nodiscard]] std::optional<wire::Result<wire::ReplyBody>> kept_result(
      const Client& client, const wire::RequestId& id) const;
  // Counts a reply that waits in the order.
  static void keep(Client& client, QueuedReply& reply);
  [[nodiscard]] wire::Result<wire::ReplyBody> without_results(const wire::MultiReply& multi) const;

  ClientIndex& clients_;
  Pending& pending_;
  Replica& replica_;
  Environment& environment_;
  ClientSender& sender_;
  SteadyClock::duration early_reads_{};  // before writes, in this turn of the event loop
};

}  // namespace server
