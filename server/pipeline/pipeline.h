#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>

#include "server/clients/handler.h"
#include "server/config/config.h"
#include "server/metrics/readings.h"
#include "server/pipeline/client.h"
#include "server/pipeline/ordering.h"
#include "session/service.h"

namespace server {

// From a client's request to its reply. Owns the replica's state, and knows which connection speaks
// for which session; everything runs on the event loop's one thread.
class Pipeline : public ClientHandler, public OrderingHandler {
 public:
  // Both live as long as this does. `first_number` is random: what connections and requests are
  // called never comes twice, across restarts too.
  Pipeline(const Config& config, std::uint64_t first_number, Environment& environment);

  // Before anything else: what the checkpoint held.
  void start_from(session::Service&& service) { service_.become(std::move(service)); }

  // Clients.
  void opened(const std::shared_ptr<ClientConnection>& connection) override;
  void received(ClientConnection& connection, wire::ParsedFrame frame) override;
  void alive(ClientConnection& connection) override;
  void closed(ClientConnection& connection) override;

  // The protocol.
  void deliver(const zab::Txn& txn);
  void confirmed(const zab::Confirmed& confirmed);
  void role_changed(const zab::RoleStatus& role_status);
  // This server has taken over a snapshot: what lies before it was not delivered here. Nobody can
  // say what became of requests under way; clients go elsewhere, and find out there.
  void restored(session::Service&& service);

  // The other servers.
  template <typename Message>
  void on(zab::ServerId from, const Message& message) {
    ordering_.on(from, message);
  }

  // One heartbeat interval has passed.
  void tick();
  // Tells every client to go elsewhere, and closes; whoever comes later hears the same.
  void goaway(const std::string& reason);
  // The same, but what a client has asked already is answered first, and nothing more is taken.
  // Goes on until `wound_up`, which it is soon if this server follows a leader.
  void wind_up(const std::string& reason);
  [[nodiscard]] bool wound_up() const;

  [[nodiscard]] const session::Service& service() const { return service_; }
  // For images of it.
  [[nodiscard]] session::Service& service() { return service_; }
  [[nodiscard]] const zab::RoleStatus& role_status() const { return ordering_.role_status(); }
  [[nodiscard]] wire::Role role() const;
  [[nodiscard]] std::size_t connections() const { return clients_.size(); }
  [[nodiscard]] const RequestCounters& requests() const { return requests_; }
  [[nodiscard]] const ReplicaCounters& replica() const { return replica_; }
  [[nodiscard]] const LeaderCounters& leader() const { return ordering_.counters(); }
  // What waits now, for GET /metrics. Looks at every client.
  void read_queues(Readings& readings) const;

 private:
  // Whose reply waits under a tag.
  struct Waiter {
    std::uint64_t client = 0;
    wire::RequestId id;
    wire::Encoding encoding = wire::Encoding::text_if_utf8;
    Asked asked;
  };

  void refused(std::uint64_t tag, wire::Zxid zxid, const session::Refusal& refusal) override;
  void unknown(std::uint64_t connection) override;
  void read_point(std::uint64_t token, wire::Zxid zxid) override;

  // connecting.cc: how a connection comes to its session, and loses it.
  void connect(Client& client, wire::ConnectRequest request);
  void ask_for_session(Client& client);
  void has_session(Client& client, wire::SessionId session, bool resumed);
  [[nodiscard]] bool open_read_only(Client& client);
  [[nodiscard]] std::int64_t granted_timeout_ms(const Client& client) const;
  void refuse(Client& client, wire::Error error);
  void session_ended(const session::Applied& applied);
  [[nodiscard]] static wire::Error session_moved();
  // Its session is another connection's now.
  void give_way(Client& client);
  void send_away(Client& client, const std::string& reason);
  void send_all_away(const std::string& reason);
  void hang_up(Client& client, CloseCode code, const std::string& reason);

  // pipeline.cc: requests of an open session.
  void take(Client& client, wire::ParsedRequest parsed);
  void part_after_answers(Client& client, CloseCode code, std::string reason);
  void order(Client& client, wire::ClientRequest request);
  [[nodiscard]] std::optional<wire::Error> beyond_limits(const wire::Request& request) const;
  [[nodiscard]] wire::Result<void> authenticate(Client& client, const wire::AuthRequest& auth);
  void take_auth(Client& client, const wire::RequestId& id, const wire::AuthRequest& auth);
  // With `dedup`. The number that a request has by its id; and of a write that is not new, the
  // answer.
  [[nodiscard]] static std::optional<std::int64_t> number_of(const wire::RequestId& id);
  [[nodiscard]] std::optional<wire::Result<wire::ReplyBody>> known_outcome(const Client& client,
                                                                           std::int64_t number);
  void answer_at_once(Client& client, wire::ClientRequest&& request,
                      wire::Result<wire::ReplyBody> body);
  void send(Client& client, DueReply&& due);
  void order_read(Client& client, wire::ClientRequest request);
  void answer(std::uint64_t tag, wire::Result<wire::ReplyBody> body);
  void flush(Client& client);
  // Events from the past of a watch that it sets are said at once.
  [[nodiscard]] DueReply read(Client& client, const AskedRead& read);
  void read_before(const session::Origin& origin);
  void stamp(Client& client, wire::Reply& reply);
  void regulate(Client& client);

  void count(const session::Applied& applied);
  void caught_up();
  void give_up_catching_up();
  void when_applied(wire::Zxid zxid, std::function<void()> then);
  [[nodiscard]] Client* find(std::uint64_t number);
  [[nodiscard]] Client* find(wire::SessionId session);
  [[nodiscard]] Client* find(const ClientConnection& connection);

  const Config& config_;
  Environment& environment_;
  session::Service service_;
  Ordering ordering_;

  std::unordered_map<const ClientConnection*, std::unique_ptr<Client>> clients_;
  std::map<std::uint64_t, Client*> by_number_;  // whoever walks over them does so in this order
  std::unordered_map<std::uint64_t, Client*> by_session_;
  std::unordered_map<std::uint64_t, Waiter> waiters_;  // by tag
  std::multimap<wire::Zxid, std::function<void()>> when_applied_;

  // Reads that wait for a zxid, by zxid and tag; and until which tick, also of those that are
  // answered by now.
  using Awaited = std::pair<wire::Zxid, std::uint64_t>;
  std::set<Awaited> catching_up_;
  std::multimap<std::uint64_t, Awaited> behind_;
  std::uint64_t ticks_ = 0;

  SteadyClock::time_point arrived_;  // what is being taken now
  RequestCounters requests_;
  ReplicaCounters replica_;

  std::uint64_t last_number_;           // of connections and tags: never the same twice
  std::uint32_t unserved_ticks_ = 0;    // since this server last served
  std::optional<std::string> leaving_;  // why whoever comes now is sent away
};

}  // namespace server
