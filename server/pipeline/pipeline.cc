#include "server/pipeline/pipeline.h"

#include <chrono>
#include <utility>
#include <variant>

// A write, for example a create, comes here twice: as a request in `received`, and as a committed
// transaction in `deliver`.
namespace server {
namespace {

wire::Error not_a_connect() {
  return {wire::ErrorCode::bad_arguments, "the first request of a connection is connect"};
}

// Whether the session of this client expires if nothing is received from the client.
bool can_expire(const Client& client) {
  return client.state == Client::State::open && !client.read_only;
}

// Applies to later requests. After a failed auth the connection is closed, as in ZooKeeper.
wire::Result<wire::ReplyBody> add_identities(Client& client, const wire::AuthRequest& auth,
                                             const PipelineOptions& options, Replica& replica) {
  if (const auto added = authenticate(client, auth, options.super_digest); !added) {
    end_after_replies(client, CloseCode::policy_violation,
                      std::string(wire::name(added.error().code)));
    return added.error();
  }
  replica.identify(client.session, client.identities);
  return wire::ReplyBody{wire::EmptyReply{}};
}

}  // namespace

Pipeline::Pipeline(PipelineOptions options, std::uint64_t first_number, Environment& environment)
    : options_(std::move(options)),
      environment_(environment),
      replica_({options_.max_watches, {}}),
      replies_(clients_, pending_, replica_, environment, options_.max_outstanding_requests),
      ordering_(options_.id, options_.heartbeat, replica_.service(), environment),
      session_setup_(options_, replica_, clients_, replies_, environment),
      drain_(clients_),
      last_number_(first_number) {}

// --- From clients ---

void Pipeline::opened(const std::shared_ptr<ClientConnection>& connection) {
  Client& client = clients_.add(++last_number_, connection);
  client.identities = znode::Identities::of({{"ip", connection->remote_address()}});
  drain_.connected(client);
}

void Pipeline::received(ClientConnection& connection, wire::ParsedFrame frame) {
  Client* client = clients_.find(connection);
  if (client == nullptr) return;
  if (can_expire(*client)) ordering_.alive(client->session);
  const SteadyClock::time_point arrived = environment_.now();
  for (wire::ParsedRequest& parsed : frame.requests) {
    if (client->state == Client::State::ended || client->ending) return;
    handle(*client, std::move(parsed), arrived);
  }
  if (client->state == Client::State::connected) {  // an empty array
    replies_.refuse_connect(*client, not_a_connect());
  }
  if (frame.fault == wire::ParsedFrame::Fault::too_deep) {
    end_after_replies(*client, CloseCode::policy_violation, "nested too deeply");
  } else if (frame.fault == wire::ParsedFrame::Fault::too_large) {
    end_after_replies(*client, CloseCode::too_big, "the frame is too large");
  }
  replies_.flush(*client);
}

void Pipeline::alive(ClientConnection& connection) {
  const Client* client = clients_.find(connection);
  if (client != nullptr && can_expire(*client)) ordering_.alive(client->session);
}

void Pipeline::closed(ClientConnection& connection) {
  if (const auto session = clients_.remove(connection)) replica_.remove_watches(*session);
}

void Pipeline::handle(Client& client, wire::ParsedRequest parsed, SteadyClock::time_point arrived) {
  if (client.state == Client::State::connected) {
    client.connect_id = parsed ? parsed->id : parsed.error().id;
    auto* connect = parsed ? std::get_if<wire::ConnectRequest>(&parsed->request) : nullptr;
    if (connect == nullptr) {
      return replies_.refuse_connect(client, parsed ? not_a_connect() : parsed.error().error);
    }
    replies_.counters().by_operation[operations - 1] += 1;
    if (!session_setup_.begin(client, std::move(*connect))) return;
    if (role_status().serving) request_session(client);
    return;
  }
  if (client.state != Client::State::open) {
    client.early_requests.push_back(std::move(parsed));
    return;
  }
  if (!parsed) {
    const wire::BadRequest bad = std::move(parsed).error();
    replies_.counters().malformed += 1;
    return replies_.reply_now(client, {{bad.id, {}, {}, bad.error}, {arrived}});
  }
  perform(client, *std::move(parsed), arrived);
}

// Next: `admit` (admission.cc) decides what the request needs. Then Ordering::submit (ordering.cc)
// for a write, or Replies::read_local (replies.cc) for a local read.
void Pipeline::perform(Client& client, wire::ClientRequest request,
                       SteadyClock::time_point arrived) {
  replies_.counters().by_operation[request.request.index()] += 1;
  Admission admission = admit(
      request, {client.session, client.read_only, client.connect_request.dedup, client.last_number},
      {options_.max_data_bytes, options_.max_multi_ops});
  const auto reply_now = [&](wire::Result<wire::ReplyBody> body) {
    replies_.reply_now(client,
                       {{std::move(request.id), {}, request.encoding, std::move(body)}, {arrived}});
  };
  if (auto* write = std::get_if<Write>(&admission)) {
    if (write->number) client.last_number = write->number;
    const std::uint64_t tag = ++last_number_;
    replies_.hold_write(client, tag, std::move(request), arrived);
    ordering_.submit({client.session,
                      {options_.id, client.number},
                      tag,
                      std::move(write->body),
                      client.identities,
                      write->number},
                     outcomes_);
    carry_out();
  } else if (std::holds_alternative<LocalRead>(admission)) {
    replies_.read_local(client, {std::move(request), client.identities, {arrived}});
  } else if (std::holds_alternative<QuorumRead>(admission)) {
    const std::uint64_t tag = ++last_number_;
    replies_.hold_read(client, tag,
                       {std::move(request), client.identities, {arrived, Effort::quorum}});
    ordering_.ask_read_point(tag, outcomes_);
    carry_out();
  } else if (const auto* read = std::get_if<ReadAtLeast>(&admission)) {
    const std::uint64_t tag = ++last_number_;
    const auto ticks_max = std::chrono::milliseconds(client.timeout_ms) / options_.heartbeat;
    replies_.hold_read(
        client, tag,
        {std::move(request), client.identities, {arrived, Effort::quorum}, read->zxid});
    pending_.add_read(tag, read->zxid, static_cast<std::uint64_t>(ticks_max));
    replies_.release_caught_up_reads();
  } else if (const auto* repeated = std::get_if<RepeatedWrite>(&admission)) {
    reply_now(known_outcome(replica_.sessions().results(client.session), repeated->number,
                            *client.last_number));
  } else if (std::holds_alternative<Authenticate>(admission)) {
    reply_now(
        add_identities(client, std::get<wire::AuthRequest>(request.request), options_, replica_));
  } else {
    reply_now(std::move(std::get<ReplyNow>(admission).body));
  }
}

// Only for a client that waits, while this server serves.
void Pipeline::request_session(Client& client) {
  auto step = session_setup_.next_step(client);
  if (const auto* catch_up = std::get_if<SessionSetup::CatchUp>(&step)) {
    return pending_.add_at(catch_up->zxid, Pending::RequestSession{client.number});
  }
  const std::uint64_t tag = ++last_number_;
  pending_.add(tag, {client.number, {}, {}, {}});
  ordering_.submit({client.connect_request.session.value_or(wire::SessionId{}),
                    {options_.id, client.number},
                    tag,
                    std::move(std::get<session::CommandBody>(step))},
                   outcomes_);
  carry_out();
}

void Pipeline::open_session(Client& client, wire::SessionId session, bool resumed) {
  session_setup_.open(client, session, resumed, role());
  const SteadyClock::time_point now = environment_.now();
  for (wire::ParsedRequest& parsed : std::exchange(client.early_requests, {})) {
    if (client.ending) break;
    handle(client, std::move(parsed), now);
  }
  replies_.flush(client);
}

// Does what `ordering_` has asked for.
// Next: Leading::on(Submit) (zab/leading_broadcast.cc) for a Submit event; Ordering::on(Forward) on
// the leader for a forwarded command.
void Pipeline::carry_out() {
  for (OrderingOutcome& outcome : outcomes_) {
    if (auto* event = std::get_if<zab::Event>(&outcome)) {
      environment_.post(std::move(*event));
    } else if (const auto* message = std::get_if<SendToServer>(&outcome)) {
      environment_.send(message->to, message->message);
    } else if (auto* refused = std::get_if<CommandRefused>(&outcome)) {
      when_applied(refused->zxid, Pending::ReplyRefusal{refused->tag, std::move(refused->refusal)});
    } else if (const auto* known = std::get_if<ReadPointKnown>(&outcome)) {
      when_applied(known->zxid, Pending::ReleaseRead{known->tag});
    } else if (const auto* unknown = std::get_if<OutcomeUnknown>(&outcome)) {
      Client* client = clients_.find(unknown->connection);
      if (client != nullptr) redirect(*client, "the link to the leader was lost in between");
    }
  }
  outcomes_.clear();
}

void Pipeline::when_applied(wire::Zxid zxid, Pending::Due due) {
  if (zxid <= replica_.applied()) return perform(due);
  pending_.add_at(zxid, std::move(due));
}

void Pipeline::perform(const Pending::Due& due) {
  if (const auto* refusal = std::get_if<Pending::ReplyRefusal>(&due)) {
    replies_.refuse(refusal->tag, refusal->refusal);
  } else if (const auto* read = std::get_if<Pending::ReleaseRead>(&due)) {
    replies_.release_read(read->tag);
  } else {
    Client* client = clients_.find(std::get<Pending::RequestSession>(due).client);
    const bool waits = client != nullptr && client->state == Client::State::waiting;
    if (waits && role_status().serving) request_session(*client);
  }
}

// --- From the protocol ---

// Next: session::Service::apply (session/service.cc), and in it znode::apply and Watches::fire
// (session/watches.cc). On the client's server then Replies::reply (replies.cc).
void Pipeline::deliver(const zab::Txn& txn) {
  const auto origin = session::origin_of(*txn.payload);
  if (origin && origin->owner.server == options_.id) replies_.read_before(*origin);

  using Change = session::Applied::SessionChange;
  session::Applied applied = replica_.apply(txn);
  replies_.send_events(std::move(applied.events));
  if (applied.former_owner && applied.former_owner->server == options_.id) {
    session_setup_.ended(applied);
  }
  const bool has_session =
      applied.session_change == Change::opened || applied.session_change == Change::moved;
  if (applied.owner.server == options_.id && has_session) {
    pending_.remove(applied.tag);
    if (Client* client = clients_.find(applied.owner.connection)) {
      open_session(*client, applied.session, applied.session_change == Change::moved);
    }
  } else if (applied.owner.server == options_.id) {
    if (applied.session_change == Change::closed) applied.reply = wire::ClosedReply{};
    replies_.reply(applied.tag,
                   applied.refusal ? applied.refusal->reply() : std::move(applied.reply));
  }
  ordering_.applied(applied, outcomes_);
  carry_out();

  while (const auto due = pending_.pop_due(replica_.applied())) perform(*due);
  replies_.release_caught_up_reads();
}

void Pipeline::confirmed(const zab::Confirmed& confirmed) {
  ordering_.confirmed(confirmed, outcomes_);
  carry_out();
}

void Pipeline::role_changed(const zab::RoleStatus& role_status) {
  ordering_.role_changed(role_status, outcomes_);
  carry_out();
  if (!role_status.serving) return;
  session_setup_.serves();
  for (const auto& [number, client] : clients_.by_number()) {
    if (client->state == Client::State::waiting) request_session(*client);
    if (client->read_only) redirect(*client, "a quorum is there again");
  }
}

void Pipeline::restored(session::Service&& service) {
  replica_.become(std::move(service));
  drain_.redirect_all("this server fell far behind and has caught up by a snapshot");
  pending_.clear();
  clients_.detach_all();
  ordering_.forget_all();
}

void Pipeline::tick() {
  pending_.tick();
  ordering_.tick(outcomes_);
  carry_out();
  replies_.refuse_late_reads();
  session_setup_.tick(role_status().serving);
  const bool gives_up = session_setup_.gives_up_serving();
  for (const auto& [number, client] : clients_.by_number()) {
    if (gives_up && !client->read_only) redirect(*client, "this server has no quorum");
    // Nothing is read from a paused client. Its session must not expire for that reason.
    if (client->paused && client->state == Client::State::open) ordering_.alive(client->session);
    if (client->state != Client::State::waiting) continue;
    if (const auto session = session_setup_.tick_waiting(*client)) {
      open_session(*client, session->id, session->resumed);
    }
  }
}

void Pipeline::read(Readings& readings) const {
  readings.replica = replica_.counters();
  ordering_.read(readings);
  replies_.read(readings);
}

}  // namespace server
