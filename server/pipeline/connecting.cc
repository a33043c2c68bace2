#include <algorithm>
#include <utility>

#include <spdlog/spdlog.h>

#include "server/pipeline/pipeline.h"
#include "server/pipeline/secret.h"

// How a connection comes to its session, and loses it.
namespace server {
namespace {

// For an election to end, or for this server to catch up with what the client has seen.
constexpr Milliseconds connect_patience{1500};
// Without a leader, before the clients of this server are sent elsewhere.
constexpr Milliseconds serve_patience{3000};

wire::Error wrong_password() {
  return {wire::ErrorCode::auth_failed, "this is not the session's password"};
}

wire::Error not_ready() {
  return {wire::ErrorCode::not_ready, "this server follows no leader yet; try another, or again"};
}

}  // namespace

void Pipeline::opened(const std::shared_ptr<ClientConnection>& connection) {
  auto client = std::make_unique<Client>();
  client->connection = connection;
  client->number = ++last_number_;
  client->identities = znode::Identities::of({{"ip", connection->remote_address()}});
  by_number_[client->number] = client.get();
  Client& here = *(clients_[connection.get()] = std::move(client));
  if (leaving_) send_away(here, *leaving_);
}

void Pipeline::connect(Client& client, wire::ConnectRequest request) {
  requests_.by_operation[operations - 1] += 1;
  for (const wire::AuthRequest& auth : std::exchange(request.auth, {})) {
    if (auto known = authenticate(client, auth); !known) return refuse(client, known.error());
  }
  if (request.batch) client.connection->allow_batches();
  client.request = std::move(request);
  client.state = Client::State::waiting;
  if (role_status().serving) ask_for_session(client);
}

// A client never sees time run backwards: it waits until this server has seen what it has.
void Pipeline::ask_for_session(Client& client) {
  if (client.request.last_zxid && *client.request.last_zxid > service_.applied()) {
    when_applied(*client.request.last_zxid, [this, number = client.number] {
      Client* waiting = find(number);
      if (waiting == nullptr || waiting->state != Client::State::waiting) return;
      if (role_status().serving) ask_for_session(*waiting);
    });
    return;
  }
  client.timeout_ms = granted_timeout_ms(client);
  // As many as can be unanswered when a connection is lost.
  const std::uint32_t results_max = client.request.dedup ? config_.max_outstanding_requests : 0;
  session::Order order;
  if (client.request.session) {
    client.password = client.request.password;
    // What is no password at all is wrong for a session that is there; another one has expired.
    const auto hash = hash_password(client.password).value_or(session::SecretHash{});
    order = session::MoveSession{hash, client.timeout_ms, results_max};
  } else {
    client.password = environment_.new_password();
    order = session::OpenSession{*hash_password(client.password), client.timeout_ms, results_max};
  }
  client.state = Client::State::opening;
  const std::uint64_t tag = ++last_number_;
  waiters_[tag] = {client.number, {}, {}, {}};
  ordering_.submit({client.request.session.value_or(wire::SessionId{}),
                    {config_.id, client.number},
                    tag,
                    std::move(order)});
}

std::int64_t Pipeline::granted_timeout_ms(const Client& client) const {
  return std::clamp<std::int64_t>(client.request.timeout_ms.value_or(10'000),
                                  config_.min_session_timeout.count(),
                                  config_.max_session_timeout.count());
}

// Without a quorum what this server knows may be old. A client that asks for no more reads it, in a
// session that is known here or in one that only this server knows. False where it has to wait.
bool Pipeline::open_read_only(Client& client) {
  const wire::ConnectRequest& request = client.request;
  if (!request.read_only || !config_.read_only_mode) return false;
  const wire::Zxid seen = request.last_zxid.value_or(wire::Zxid{});
  if (service_.applied() == wire::Zxid{} || seen > service_.applied()) return false;

  wire::SessionId session = session::local_session(client.number);
  if (request.session) {
    // Whether a session that is not known here has ended, only a quorum can say.
    const session::Session* known = service_.sessions().find(*request.session);
    if (known == nullptr) return false;
    const auto hash = hash_password(request.password);
    if (!hash || !session::equal_secrets(known->secret_hash, *hash)) {
      refuse(client, wrong_password());
      return true;
    }
    session = *request.session;
    if (Client* former = find(session)) {
      service_.watches().remove_session(session);
      give_way(*former);
    }
  }
  client.read_only = true;
  client.timeout_ms = granted_timeout_ms(client);
  client.password = request.session ? request.password : new_password();
  has_session(client, session, request.session.has_value());
  return true;
}

void Pipeline::has_session(Client& client, wire::SessionId session, bool resumed) {
  client.session = session;
  client.state = Client::State::open;
  by_session_[session.value] = &client;
  client.connection->send(wire::ConnectedReply{
      session, std::exchange(client.password, {}), client.timeout_ms, config_.id, role(),
      service_.applied(), resumed, config_.advertised, client.read_only, client.request_id});
  client.connection->ping_every(Milliseconds(client.timeout_ms / 3));
  if (const session::Results* results = service_.sessions().results(session)) {
    client.last_number = results->last();
  }
  arrived_ = environment_.now();
  for (wire::ParsedRequest& parsed : std::exchange(client.early, {})) {
    if (client.farewell) break;
    take(client, std::move(parsed));
  }
  flush(client);
}

void Pipeline::refuse(Client& client, wire::Error error) {
  requests_.errors[error.code] += 1;
  CloseCode code = CloseCode::normal;
  if (error.code == wire::ErrorCode::bad_arguments) code = CloseCode::policy_violation;
  if (error.code == wire::ErrorCode::too_large) code = CloseCode::too_big;
  client.connection->send(
      wire::ConnectRefused{error, service_.applied(), std::move(client.request_id)});
  hang_up(client, code, std::string(wire::name(error.code)));
}

wire::Error Pipeline::session_moved() {
  return {wire::ErrorCode::session_moved, "the session moved to another connection"};
}

// The session of one of this server's connections was ended, or moved to another.
void Pipeline::session_ended(const session::Applied& applied) {
  using Change = session::Applied::SessionChange;
  Client* client = find(applied.former_owner->connection);
  if (client == nullptr) return;
  by_session_.erase(client->session.value);
  if (applied.session_change == Change::expired) {
    client->connection->send(wire::Expired{});
    return hang_up(*client, CloseCode::normal, "session expired");
  }
  if (applied.session_change == Change::moved) give_way(*client);
}

void Pipeline::give_way(Client& client) {
  client.state = Client::State::ended;
  const wire::Error moved = session_moved();
  for (const std::uint64_t tag : client.order.waiting()) answer(tag, moved);
  hang_up(client, CloseCode::normal, "session moved");
}

void Pipeline::hang_up(Client& client, CloseCode code, const std::string& reason) {
  client.state = Client::State::ended;
  client.connection->close(code, reason);
}

void Pipeline::closed(ClientConnection& connection) {
  const auto gone = clients_.extract(&connection);
  if (gone.empty()) return;
  const Client& client = *gone.mapped();
  by_number_.erase(client.number);
  const auto session = by_session_.find(client.session.value);
  if (session != by_session_.end() && session->second == &client) {
    by_session_.erase(session);
    service_.watches().remove_session(client.session);
  }
}

void Pipeline::tick() {
  ticks_ += 1;
  ordering_.tick();
  give_up_catching_up();
  const auto ticks = [&](Milliseconds patience) { return patience / config_.heartbeat; };
  const bool served = role_status().serving;
  unserved_ticks_ = served ? 0 : unserved_ticks_ + 1;
  const bool given_up = unserved_ticks_ == ticks(serve_patience);

  for (const auto& [number, client] : by_number_) {
    if (given_up && !client->read_only) send_away(*client, "this server has no quorum");
    // Nothing is read of a paused connection, so nothing can be heard: the pause is ours.
    if (client->paused && client->state == Client::State::open) ordering_.alive(client->session);
    if (client->state != Client::State::waiting) continue;
    client->waited_ticks += 1;
    if (unserved_ticks_ >= ticks(connect_patience) && open_read_only(*client)) continue;
    if (client->waited_ticks < ticks(connect_patience)) continue;
    refuse(*client,
           served ? wire::Error{wire::ErrorCode::server_behind,
                                "this server has applied " + wire::to_hex(service_.applied()) +
                                    " only; try another, or again"}
                  : not_ready());
  }
}

void Pipeline::read_queues(Readings& readings) const {
  ordering_.read_queues(readings);
  readings.queues.push_back({"replies", waiters_.size()});
  readings.queues.push_back({"reads_behind", catching_up_.size()});
  for (const auto& [number, client] : by_number_) {
    readings.outstanding_requests += client->early.size() + client->order.size();
    readings.paused_connections += client->paused ? 1 : 0;
    readings.queued_bytes += client->connection->queued_bytes();
  }
}

void Pipeline::goaway(const std::string& reason) {
  leaving_ = reason;
  send_all_away(reason);
}

void Pipeline::send_all_away(const std::string& reason) {
  for (const auto& [number, client] : by_number_) send_away(*client, reason);
}

void Pipeline::wind_up(const std::string& reason) {
  leaving_ = reason;
  for (const auto& [number, client] : by_number_) {
    if (client->state != Client::State::open || client->order.empty()) {
      send_away(*client, reason);
    } else if (!client->farewell) {
      client->farewell = {CloseCode::going_away, reason};
      client->connection->pause();
    }
  }
}

bool Pipeline::wound_up() const {
  return std::ranges::all_of(
      clients_, [](const auto& entry) { return entry.second->state == Client::State::ended; });
}

void Pipeline::unknown(std::uint64_t connection) {
  Client* client = find(connection);
  if (client != nullptr) send_away(*client, "the link to the leader was lost in between");
}

void Pipeline::send_away(Client& client, const std::string& reason) {
  if (client.state == Client::State::ended) return;
  client.connection->send(wire::GoAway{reason});
  hang_up(client, CloseCode::going_away, reason);
}

wire::Role Pipeline::role() const {
  if (config_.servers.empty()) return wire::Role::standalone;
  switch (role_status().role) {
    case zab::Role::looking: return wire::Role::looking;
    case zab::Role::following: return wire::Role::follower;
    case zab::Role::observing: return wire::Role::observer;
    case zab::Role::leading: return wire::Role::leader;
  }
  return wire::Role::looking;
}

}  // namespace server
