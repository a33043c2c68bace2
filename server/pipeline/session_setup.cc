#include "server/pipeline/session_setup.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "server/auth/session_password.h"

namespace server {
namespace {

// How long a `connect` waits for an election to end, or for this server to catch up.
constexpr std::chrono::milliseconds connect_timeout{1500};
// How long a server without a leader keeps its clients.
constexpr std::chrono::milliseconds unserved_timeout{3000};

wire::Error not_a_connect() {
  return {wire::ErrorCode::bad_arguments, "the first request of a connection is connect"};
}

wire::Error wrong_password() {
  return {wire::ErrorCode::auth_failed, "this is not the session's password"};
}

wire::Error not_ready() {
  return {wire::ErrorCode::not_ready, "this server follows no leader yet; try another, or again"};
}

wire::Error server_behind(wire::Zxid applied) {
  return {wire::ErrorCode::server_behind,
          "this server has applied " + wire::to_hex(applied) + " only; try another, or again"};
}

}  // namespace

SessionSetup::SessionSetup(const PipelineOptions& options, Replica& replica, ClientIndex& clients,
                           Replies& replies, const TouchIntervals& touch_intervals,
                           Environment& environment)
    : options_(options),
      replica_(replica),
      clients_(clients),
      replies_(replies),
      touch_intervals_(touch_intervals),
      environment_(environment),
      address_sessions_({options.max_client_sessions, options.client_sessions_per_second},
                        options.heartbeat) {}

bool SessionSetup::begin(Client& client, wire::ParsedRequest first) {
  client.connecting = std::make_unique<Client::Connecting>();
  client.connecting->id = first ? first->id : first.error().id;
  auto* request = first ? std::get_if<wire::ConnectRequest>(&first->request) : nullptr;
  if (request == nullptr) {
    replies_.refuse_connect(client, first ? not_a_connect() : first.error().error);
    return false;
  }
  replies_.counters().by_operation[operations - 1] += 1;
  for (const wire::AuthRequest& auth : std::exchange(request->auth, {})) {
    if (auto added = authenticate(client, auth, options_.super_digest); !added) {
      replies_.refuse_connect(client, added.error());
      return false;
    }
  }
  if (request->batch) client.connection->allow_batches();
  client.dedup = request->dedup;
  client.connecting->request = std::move(*request);
  client.state = Client::State::waiting;
  return true;
}

void SessionSetup::begin_without_request(Client& client) {
  replies_.refuse_connect(client, not_a_connect());
}

std::optional<std::variant<WhenApplied, session::Command>> SessionSetup::next_step(Client& client) {
  const wire::ConnectRequest& request = client.connecting->request;
  if (request.last_zxid && *request.last_zxid > replica_.applied()) {
    return WhenApplied{*request.last_zxid, WhenApplied::RequestSession{client.number}};
  }
  if (!request.session) {
    if (auto place = address_sessions_.reserve(client); !place) {
      replies_.refuse_connect(client, place.error());
      return std::nullopt;
    }
  }
  client.state = Client::State::opening;
  client.timeout_ms = granted_timeout_ms(client);
  TouchIntervals::begin_session(client.touch, environment_.now());
  // At most this many writes are unanswered when a connection is lost.
  const std::uint32_t results_max = request.dedup ? options_.max_outstanding_requests : 0;
  session::Command command;
  command.owner = {options_.id, client.number};
  if (request.session) {
    command.session = *request.session;
    client.connecting->password = request.password;
    // A malformed password counts as a wrong one. The leader reports it only if the session is
    // open: otherwise the session has expired.
    const auto hash = hash_password(request.password).value_or(session::SecretHash{});
    command.body = session::MoveSession{hash, client.timeout_ms, results_max};
  } else {
    const std::string& password = client.connecting->password = environment_.new_password();
    command.body = session::OpenSession{*hash_password(password), client.timeout_ms, results_max};
    // No limit keeps the super identity out.
    if (client.identities.is_super()) command.identities = client.identities;
  }
  return command;
}

void SessionSetup::open(Client& client, wire::SessionId session, bool resumed, wire::Role role) {
  const std::unique_ptr<Client::Connecting> connecting = std::move(client.connecting);
  client.session = session;
  client.state = Client::State::open;
  clients_.attach(session, client);
  const std::int64_t valid_ms = touch_intervals_.open_session(client.touch, client.timeout_ms);
  client.connection->send(wire::ConnectedReply{session, std::move(connecting->password),
                                               client.timeout_ms, options_.id, role,
                                               replica_.applied(), resumed, options_.advertised,
                                               client.read_only, connecting->id, valid_ms});
  client.connection->ping_every(std::chrono::milliseconds(client.timeout_ms / 3));
  if (const session::Results* results = replica_.sessions().results(session)) {
    client.last_number = results->last();
  }
}

wire::Result<wire::ReplyBody> SessionSetup::add_identities(Client& client,
                                                           const wire::AuthRequest& auth) {
  if (const auto added = authenticate(client, auth, options_.super_digest); !added) {
    end_after_replies(client, CloseCode::policy_violation,
                      std::string(wire::name(added.error().code)));
    return added.error();
  }
  replica_.watches().identify(client.session, client.identities);
  return wire::ReplyBody{wire::EmptyReply{}};
}

void SessionSetup::applied(const session::Applied& applied) {
  const bool is_ours = applied.owner.server == options_.id;
  address_sessions_.applied(applied, is_ours ? clients_.find(applied.owner.connection) : nullptr);
  if (!applied.former_owner || applied.former_owner->server != options_.id) return;
  using Change = session::Applied::SessionChange;
  Client* client = clients_.find(applied.former_owner->connection);
  if (client == nullptr) return;
  clients_.detach(client->session);
  if (applied.session_change == Change::expired) {
    client->connection->send(wire::Expired{});
    return disconnect(*client, CloseCode::normal, "session expired");
  }
  if (applied.session_change == Change::moved) replies_.displace(*client);
}

void SessionSetup::tick(bool serving) {
  unserved_ticks_ = serving ? 0 : unserved_ticks_ + 1;
  address_sessions_.tick();
}

std::optional<SessionSetup::ReadOnlySession> SessionSetup::tick_client(Client& client) {
  if (unserved_ticks_ == options_.ticks(unserved_timeout) && !client.read_only) {
    redirect(client, "this server has no quorum");
  }
  return client.state == Client::State::waiting ? tick_waiting(client) : std::nullopt;
}

// Without a quorum the state of this server may be stale. A client that accepts this gets the
// session that it names, if the session is known here. A client that names none gets a local
// session that only this server knows.
std::optional<SessionSetup::ReadOnlySession> SessionSetup::tick_waiting(Client& client) {
  client.connecting->waited_ticks += 1;
  if (unserved_ticks_ >= options_.ticks(connect_timeout)) {
    const auto session = read_only_session(client);
    if (session && *session) return prepare_read_only(client, **session);
    if (session) {
      replies_.refuse_connect(client, session->error());
      return std::nullopt;
    }
  }
  if (client.connecting->waited_ticks < options_.ticks(connect_timeout)) return std::nullopt;
  const bool serving = unserved_ticks_ == 0;
  replies_.refuse_connect(client, serving ? server_behind(replica_.applied()) : not_ready());
  return std::nullopt;
}

std::optional<wire::Result<SessionSetup::ReadOnlySession>> SessionSetup::read_only_session(
    const Client& client) const {
  const wire::ConnectRequest& request = client.connecting->request;
  if (!request.read_only || !options_.read_only_mode || replica_.halt()) return std::nullopt;
  const wire::Zxid seen = request.last_zxid.value_or(wire::Zxid{});
  if (replica_.applied() == wire::Zxid{} || seen > replica_.applied()) return std::nullopt;

  if (!request.session) return ReadOnlySession{session::local_session(client.number), false};
  const session::Session* known = replica_.sessions().find(*request.session);
  if (known == nullptr) return std::nullopt;  // only a quorum knows whether it has expired
  const auto hash = hash_password(request.password);
  if (!hash || !session::equal_secrets(known->secret_hash, *hash)) return wrong_password();
  return ReadOnlySession{*request.session, true};
}

SessionSetup::ReadOnlySession SessionSetup::prepare_read_only(Client& client,
                                                              ReadOnlySession session) {
  Client* former = session.resumed ? clients_.find(session.id) : nullptr;
  if (former != nullptr) {
    replica_.watches().remove_session(session.id);
    replies_.displace(*former);
  }
  client.read_only = true;
  client.timeout_ms = granted_timeout_ms(client);
  client.connecting->password =
      session.resumed ? client.connecting->request.password : environment_.new_password();
  return session;
}

std::int64_t SessionSetup::granted_timeout_ms(const Client& client) const {
  return std::clamp<std::int64_t>(client.connecting->request.timeout_ms.value_or(10'000),
                                  options_.min_session_timeout.count(),
                                  options_.max_session_timeout.count());
}

wire::Role client_role(const PipelineOptions& options, zab::Role role) {
  if (options.standalone) return wire::Role::standalone;
  switch (role) {
    case zab::Role::looking: return wire::Role::looking;
    case zab::Role::following: return wire::Role::follower;
    case zab::Role::observing: return wire::Role::observer;
    case zab::Role::leading: return wire::Role::leader;
  }
  return wire::Role::looking;
}

}  // namespace server
