#include "server/pipeline/pipeline.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "server/pipeline/secret.h"
#include "znode/path.h"

// What a session's requests become, and how their replies come back in order.
namespace server {
namespace {

wire::Error not_a_connect() {
  return {wire::ErrorCode::bad_arguments, "the first request of a connection is connect"};
}

wire::Error not_read_only() {
  return {wire::ErrorCode::not_read_only,
          "this server has no quorum: it answers reads of what it knows, and nothing else"};
}

// How fresh a request wants to be; a write is of no interest here.
wire::Consistency consistency_of(const wire::Request& request) {
  return std::visit(
      [](const auto& r) -> wire::Consistency {
        if constexpr (requires { r.read.consistency; }) return r.read.consistency;
        if constexpr (std::is_same_v<std::decay_t<decltype(r)>, wire::SyncRequest>) {
          return wire::Linearizable{};
        }
        return wire::SessionConsistency{};
      },
      request);
}

}  // namespace

Pipeline::Pipeline(const Config& config, std::uint64_t first_number, Environment& environment)
    : config_(config),
      environment_(environment),
      service_({config.max_watches, {}}),
      ordering_(config.id, config.heartbeat, service_, environment, *this),
      last_number_(first_number) {}

// --- From clients ---

void Pipeline::received(ClientConnection& connection, wire::ParsedFrame frame) {
  arrived_ = environment_.now();
  alive(connection);
  for (wire::ParsedRequest& parsed : frame.requests) {
    Client* client = find(connection);
    if (client == nullptr || client->state == Client::State::ended || client->farewell) return;
    take(*client, std::move(parsed));
  }
  Client* client = find(connection);
  if (client == nullptr) return;
  if (client->state == Client::State::silent) refuse(*client, not_a_connect());  // an empty array
  if (frame.fault == wire::ParsedFrame::Fault::too_deep) {
    part_after_answers(*client, CloseCode::policy_violation, "nested too deeply");
  } else if (frame.fault == wire::ParsedFrame::Fault::too_large) {
    part_after_answers(*client, CloseCode::too_big, "the frame is too large");
  }
  flush(*client);
}

// Nothing more is read; what came before is answered, and then comes a close.
void Pipeline::part_after_answers(Client& client, CloseCode code, std::string reason) {
  client.farewell = {code, std::move(reason)};
  client.connection->pause();
}

void Pipeline::alive(ClientConnection& connection) {
  const Client* client = find(connection);
  if (client == nullptr || client->state != Client::State::open || client->read_only) return;
  ordering_.alive(client->session);
}

void Pipeline::take(Client& client, wire::ParsedRequest parsed) {
  if (client.state == Client::State::silent) {
    client.request_id = parsed ? parsed->id : parsed.error().id;
    auto* connect_request = parsed ? std::get_if<wire::ConnectRequest>(&parsed->request) : nullptr;
    if (connect_request != nullptr) return connect(client, std::move(*connect_request));
    return refuse(client, parsed ? not_a_connect() : parsed.error().error);
  }
  if (client.state != Client::State::open) return client.early.push_back(std::move(parsed));
  if (!parsed) {
    const wire::BadRequest bad = std::move(parsed).error();
    requests_.malformed += 1;
    client.order.push_reply({{bad.id, {}, {}, bad.error}, {arrived_}});
    return flush(client);
  }
  order(client, std::move(*parsed));
}

// Puts a request in its place. What the leader has to order waits under a tag; so does a read that
// needs more than this server's word.
void Pipeline::order(Client& client, wire::ClientRequest request) {
  requests_.by_operation[request.request.index()] += 1;
  if (std::holds_alternative<wire::ConnectRequest>(request.request)) {
    return answer_at_once(client, std::move(request),
                          wire::Error{wire::ErrorCode::bad_arguments,
                                      "connect is the first request of a connection only"});
  }
  if (auto error = beyond_limits(request.request)) {
    return answer_at_once(client, std::move(request), *std::move(error));
  }

  if (const auto* auth = std::get_if<wire::AuthRequest>(&request.request)) {
    return take_auth(client, request.id, *auth);
  }

  std::optional<session::Order> wanted = session::order_of(request.request);
  const bool is_write = wanted && !std::holds_alternative<session::CloseSession>(*wanted);
  std::optional<std::int64_t> number;
  if (client.request.dedup) {
    number = number_of(request.id);
    if (!number && (is_write || !request.id.none())) {
      return answer_at_once(client, std::move(request),
                            wire::Error{wire::ErrorCode::bad_arguments,
                                        "id: must be an integer, for this session has dedup"});
    }
    if (!is_write) number.reset();
  }
  if (client.read_only) {
    if (wanted && session::is_local(client.session) &&
        std::holds_alternative<session::CloseSession>(*wanted)) {
      return answer_at_once(client, std::move(request), wire::ReplyBody{wire::ClosedReply{}});
    }
    const auto* multi = std::get_if<wire::MultiRequest>(&request.request);
    if (multi != nullptr && znode::only_reads(*multi)) {
      return order_read(client, std::move(request));
    }
    if (wanted || std::holds_alternative<wire::Linearizable>(consistency_of(request.request))) {
      return answer_at_once(client, std::move(request), not_read_only());
    }
  }
  if (!wanted) return order_read(client, std::move(request));
  if (number) {
    if (auto known = known_outcome(client, *number)) {
      return answer_at_once(client, std::move(request), *std::move(known));
    }
    client.last_number = number;
  }
  const std::uint64_t tag = ++last_number_;
  client.order.push_write(tag);
  waiters_[tag] = {
      client.number, std::move(request.id), request.encoding, {arrived_, Effort::write}};
  ordering_.submit({client.session,
                    {config_.id, client.number},
                    tag,
                    std::move(*wanted),
                    client.identities,
                    number});
}

std::optional<std::int64_t> Pipeline::number_of(const wire::RequestId& id) {
  std::int64_t number = 0;
  const char* end = id.json.data() + id.json.size();
  const auto [stopped, error] = std::from_chars(id.json.data(), end, number);
  if (error != std::errc() || stopped != end) return std::nullopt;
  return number;
}

// Whatever the session's earlier connections wrote was applied here before it moved to this one.
std::optional<wire::Result<wire::ReplyBody>> Pipeline::known_outcome(const Client& client,
                                                                     std::int64_t number) {
  if (!client.last_number || number > *client.last_number) return std::nullopt;
  const session::Results* results = service_.sessions().results(client.session);
  const wire::Bytes* outcome = results == nullptr ? nullptr : results->find(number);
  if (outcome != nullptr) return session::decode_outcome(*outcome);
  return wire::Error{wire::ErrorCode::bad_arguments,
                     "id: " + std::to_string(number) + " is not above " +
                         std::to_string(*client.last_number) +
                         ", the last write's, and no outcome of it is kept"};
}

wire::Result<void> Pipeline::authenticate(Client& client, const wire::AuthRequest& auth) {
  auto identities = znode::authenticate(auth, client.identities, config_.super_digest);
  if (!identities) return identities.error();
  client.identities = *std::move(identities);
  return {};
}

// Holds for what comes behind it. Who fails is not heard any more, as in ZooKeeper.
void Pipeline::take_auth(Client& client, const wire::RequestId& id, const wire::AuthRequest& auth) {
  wire::Reply reply{id, {}, {}, wire::EmptyReply{}};
  if (auto known = authenticate(client, auth)) {
    service_.watches().identify(client.session, client.identities);
  } else {
    part_after_answers(client, CloseCode::policy_violation,
                       std::string(wire::name(known.error().code)));
    reply.body = known.error();
  }
  client.order.push_reply({std::move(reply), {arrived_}});
  flush(client);
}

std::optional<wire::Error> Pipeline::beyond_limits(const wire::Request& request) const {
  const auto too_large = [](std::string what, const char* limit, std::size_t max) {
    return wire::Error{wire::ErrorCode::too_large,
                       std::move(what) + ", more than " + limit + '=' + std::to_string(max)};
  };
  const auto judge = [&](const auto& each) -> std::optional<wire::Error> {
    if constexpr (requires { each.data; }) {
      if (each.data.size() <= config_.max_data_bytes) return std::nullopt;
      if (!znode::validate(each.path)) return std::nullopt;  // is refused for its path, unsaid here
      return too_large("data of " + std::to_string(each.data.size()) + " bytes for " + each.path,
                       "maxDataBytes", config_.max_data_bytes);
    }
    return std::nullopt;
  };
  const auto* multi = std::get_if<wire::MultiRequest>(&request);
  if (multi == nullptr) return std::visit(judge, request);
  if (multi->ops.size() > config_.max_multi_ops) {
    return too_large("a multi of " + std::to_string(multi->ops.size()) + " operations",
                     "maxMultiOps", config_.max_multi_ops);
  }
  for (const wire::MultiOp& op : multi->ops) {
    if (auto error = std::visit(judge, op)) return error;
  }
  return std::nullopt;
}

void Pipeline::answer_at_once(Client& client, wire::ClientRequest&& request,
                              wire::Result<wire::ReplyBody> body) {
  client.order.push_reply(
      {{std::move(request.id), {}, request.encoding, std::move(body)}, {arrived_}});
  flush(client);
}

void Pipeline::order_read(Client& client, wire::ClientRequest request) {
  const wire::Consistency consistency = consistency_of(request.request);
  if (std::holds_alternative<wire::SessionConsistency>(consistency)) {
    client.order.push_read({std::move(request), client.identities, {arrived_}});
    return flush(client);
  }
  const std::uint64_t tag = ++last_number_;
  const Asked asked{arrived_, Effort::quorum};
  waiters_[tag] = {client.number, request.id, request.encoding, asked};
  client.order.push_held_read(tag, {std::move(request), client.identities, asked});
  if (const auto* at_least = std::get_if<wire::AtLeast>(&consistency)) {
    const auto patience = Milliseconds(client.timeout_ms) / config_.heartbeat;
    behind_.emplace(ticks_ + static_cast<std::uint64_t>(patience), std::pair(at_least->zxid, tag));
    catching_up_.emplace(at_least->zxid, tag);
    caught_up();
  } else {
    ordering_.ask_read_point(tag);
  }
}

// --- Outcomes ---

void Pipeline::deliver(const zab::Txn& txn) {
  if (const auto origin = session::origin_of(*txn.payload)) read_before(*origin);
  session::Applied applied = service_.apply(txn.zxid, *txn.payload);
  for (session::Delivery& delivery : applied.events) {
    Client* client = find(delivery.session);
    if (client == nullptr) continue;
    requests_.watch_events += 1;
    client->connection->send(std::move(delivery.event));
  }
  count(applied);
  const bool ours = applied.owner.server == config_.id;
  using Change = session::Applied::SessionChange;
  if (applied.former_owner && applied.former_owner->server == config_.id) session_ended(applied);
  if (ours &&
      (applied.session_change == Change::opened || applied.session_change == Change::moved)) {
    waiters_.erase(applied.tag);
    Client* client = find(applied.owner.connection);
    if (client != nullptr) {
      has_session(*client, applied.session, applied.session_change == Change::moved);
    }
  } else if (ours) {
    if (applied.session_change == Change::closed) applied.reply = wire::ClosedReply{};
    answer(applied.tag, applied.refusal ? applied.refusal->reply() : std::move(applied.reply));
  }
  ordering_.applied(applied);

  while (!when_applied_.empty() && when_applied_.begin()->first <= service_.applied()) {
    when_applied_.extract(when_applied_.begin()).mapped()();
  }
  caught_up();
}

// A write of a session takes effect. Reads of the session that came before it must not see it, even
// if their turn has not come: the quorum's word, or the leader's that a write before them was
// refused, may be slower than this write. It stands in for both. That it was committed shows that
// its leader led when it was proposed, after the reads had come; so whatever was acknowledged
// before they came is applied here by now.
void Pipeline::read_before(const session::Origin& origin) {
  Client* client = origin.owner.server == config_.id ? find(origin.owner.connection) : nullptr;
  if (client == nullptr) return;
  const auto carry_out = [&](const AskedRead& asked) -> std::optional<DueReply> {
    const wire::Consistency consistency = consistency_of(asked.request.request);
    const auto* at_least = std::get_if<wire::AtLeast>(&consistency);
    if (at_least != nullptr && at_least->zxid > service_.applied()) return std::nullopt;
    client->read_ahead += 1;
    return read(*client, asked);
  };
  if (client->order.read_before(origin.tag, carry_out)) flush(*client);
}

void Pipeline::count(const session::Applied& applied) {
  using Change = session::Applied::SessionChange;
  replica_.applied += 1;
  switch (applied.session_change) {
    case Change::none: break;
    case Change::opened: replica_.sessions_opened += 1; break;
    case Change::moved: replica_.sessions_moved += 1; break;
    case Change::closed: replica_.sessions_closed += 1; break;
    case Change::expired: replica_.sessions_expired += 1; break;
  }
}

void Pipeline::restored(session::Service&& service) {
  service_.become(std::move(service));
  send_all_away("this server fell far behind and has caught up by a snapshot");
  waiters_.clear();
  by_session_.clear();
  when_applied_.clear();
  catching_up_.clear();
  behind_.clear();
  ordering_.forget_all();
}

// Reads that wait for a zxid that is applied by now may go on.
void Pipeline::caught_up() {
  while (!catching_up_.empty() && catching_up_.begin()->first <= service_.applied()) {
    const std::uint64_t tag = catching_up_.extract(catching_up_.begin()).value().second;
    read_point(tag, {});
  }
}

void Pipeline::give_up_catching_up() {
  while (!behind_.empty() && behind_.begin()->first <= ticks_) {
    const auto waiting = behind_.extract(behind_.begin()).mapped();
    if (catching_up_.erase(waiting) == 0) continue;
    answer(waiting.second,
           wire::Error{wire::ErrorCode::server_behind,
                       "this server has applied " + wire::to_hex(service_.applied()) + " only; " +
                           wire::to_hex(waiting.first) +
                           " did not come within the session's timeout"});
  }
}

void Pipeline::refused(std::uint64_t tag, wire::Zxid zxid, const session::Refusal& refusal) {
  when_applied(zxid, [this, tag, refusal] {
    const auto waiter = waiters_.find(tag);
    if (waiter == waiters_.end()) return;
    Client* client = find(waiter->second.client);
    if (client != nullptr && client->state == Client::State::opening) {
      waiters_.erase(waiter);
      return refuse(*client, refusal.error);
    }
    answer(tag, refusal.reply());
  });
}

void Pipeline::read_point(std::uint64_t token, wire::Zxid zxid) {
  when_applied(zxid, [this, token] {
    const auto waiter = waiters_.extract(token);
    if (waiter.empty()) return;
    Client* client = find(waiter.mapped().client);
    if (client == nullptr) return;
    client->order.release(token);
    flush(*client);
  });
}

void Pipeline::answer(std::uint64_t tag, wire::Result<wire::ReplyBody> body) {
  const auto waiter = waiters_.extract(tag);
  if (waiter.empty()) return;
  auto& [number, id, encoding, asked] = waiter.mapped();
  Client* client = find(number);
  if (client == nullptr) return;
  client->order.answer(tag, {{std::move(id), {}, encoding, std::move(body)}, asked});
  flush(*client);
}

void Pipeline::confirmed(const zab::Confirmed& confirmed) { ordering_.confirmed(confirmed); }

void Pipeline::role_changed(const zab::RoleStatus& role_status) {
  ordering_.role_changed(role_status);
  if (!role_status.serving) return;
  unserved_ticks_ = 0;
  for (const auto& [number, client] : by_number_) {
    if (client->state == Client::State::waiting) ask_for_session(*client);
    if (client->read_only) send_away(*client, "a quorum is there again");
  }
}

// --- In order ---

// Not later than what leaves behind it and was read before: time never runs backwards.
void Pipeline::stamp(Client& client, wire::Reply& reply) {
  if (reply.zxid != wire::Zxid{}) {
    client.read_ahead -= 1;
    return;
  }
  reply.zxid = service_.applied();
  if (client.read_ahead == 0) return;
  const DueReply* behind = client.order.find_reply(
      [](const DueReply& other) { return other.reply.zxid != wire::Zxid{}; });
  if (behind != nullptr) reply.zxid = std::min(reply.zxid, behind->reply.zxid);
}

void Pipeline::flush(Client& client) {
  while (std::optional next = client.order.pop_ready()) {
    if (auto* due = std::get_if<DueReply>(&*next)) {
      wire::Reply& reply = due->reply;
      stamp(client, reply);
      const bool goodbye = reply.body && std::holds_alternative<wire::ClosedReply>(*reply.body);
      send(client, std::move(*due));
      if (goodbye) return hang_up(client, CloseCode::normal, "session closed");
    } else {
      send(client, read(client, std::get<AskedRead>(*next)));
    }
  }
  if (!client.farewell) return regulate(client);
  // What came before the frame that ends the connection is answered first.
  if (client.early.empty() && client.order.empty() && client.state != Client::State::ended) {
    const auto& [code, reason] = *client.farewell;
    if (code == CloseCode::going_away) return send_away(client, reason);
    hang_up(client, code, reason);
  }
}

DueReply Pipeline::read(Client& client, const AskedRead& read) {
  const wire::ClientRequest& request = read.request;
  DueReply due{{request.id, service_.applied(), request.encoding, wire::EmptyReply{}}, read.asked};
  wire::Reply& reply = due.reply;
  if (client.state == Client::State::ended) {
    reply.body = session_moved();
  } else if (std::holds_alternative<wire::PingRequest>(request.request)) {
    reply.body = wire::PongReply{};
  } else if (std::holds_alternative<wire::WhoamiRequest>(request.request)) {
    reply.body = znode::whoami(read.identities);
  } else {
    auto answer = service_.read({client.session, read.identities}, request.id, request.request,
                                request.encoding);
    if (answer) {
      requests_.watch_events += answer->events.size();
      for (wire::WatchEvent& event : answer->events) client.connection->send(std::move(event));
      reply.body = std::move(answer->reply);
    } else {
      reply.body = std::move(answer.error());
    }
  }
  return due;
}

void Pipeline::send(Client& client, DueReply&& due) {
  const auto& [at, effort] = due.asked;
  if (!due.reply.body) requests_.errors[due.reply.body.error().code] += 1;
  requests_.took[static_cast<std::size_t>(effort)].observe(environment_.now() - at);
  client.connection->send(std::move(due.reply));
}

// Too much outstanding is answered by not reading: TCP tells the client.
void Pipeline::regulate(Client& client) {
  const std::size_t outstanding = client.early.size() + client.order.size();
  if (!client.paused && outstanding >= config_.max_outstanding_requests) {
    client.paused = true;
    requests_.pauses += 1;
    client.connection->pause();
  } else if (client.paused && outstanding <= config_.max_outstanding_requests / 2) {
    client.paused = false;
    client.connection->resume();
  }
}

void Pipeline::when_applied(wire::Zxid zxid, std::function<void()> then) {
  if (zxid <= service_.applied()) return then();
  when_applied_.emplace(zxid, std::move(then));
}

Client* Pipeline::find(std::uint64_t number) {
  const auto found = by_number_.find(number);
  return found == by_number_.end() ? nullptr : found->second;
}

Client* Pipeline::find(wire::SessionId session) {
  const auto found = by_session_.find(session.value);
  return found == by_session_.end() ? nullptr : found->second;
}

Client* Pipeline::find(const ClientConnection& connection) {
  const auto found = clients_.find(&connection);
  return found == clients_.end() ? nullptr : found->second.get();
}

}  // namespace server
