#include "server/pipeline/pipeline.h"

#include <algorithm>
#include <utility>
#include <variant>

#include <spdlog/spdlog.h>

#include "wire/close_reasons.h"
#include "wire/zxid.h"

// A write, for example a create, comes here twice: as a request in `received`, from where it goes
// to Intake::take (intake.cc), and as a committed transaction in `deliver`.
namespace server {
namespace {

// Something was received from the client. Its session expires without that, if it has one.
void touch(Client& client, Ordering& ordering) {
  const bool can_expire = client.state == Client::State::open && !client.read_only;
  if (can_expire) ordering.alive(client.session, client.touch);
}

// The memory of a request besides its text. It is not charged for the only request of a client.
std::uint32_t memory_of(const wire::ParsedRequest& parsed) {
  std::size_t bytes = sizeof(wire::ParsedRequest);
  if (!parsed) return static_cast<std::uint32_t>(bytes);
  bytes += parsed->conditions.size() * sizeof(wire::Condition);
  if (const auto* multi = std::get_if<wire::MultiRequest>(&parsed->request)) {
    bytes += wire::operations_of(*multi) * sizeof(wire::MultiOp);
  }
  return static_cast<std::uint32_t>(bytes);
}

session::ServiceOptions service_options(const PipelineOptions& options, const Ledger& ledger,
                                        session::WatchBudget& watch_budget) {
  return {{options.max_watches, {}, options.hash_key, &watch_budget},
          std::min(options.max_reply_bytes, ledger.limits(Budget::waiting).connection),
          options.state_bytes_max,
          options.max_sessions == 0 ? unlimited : options.max_sessions,
          {options.heartbeat.count(), options.container_idle.count(),
           options.container_unused.count()}};
}

}  // namespace

Pipeline::Pipeline(PipelineOptions options, std::uint64_t first_number, Environment& environment,
                   std::shared_ptr<Ledger> ledger)
    : options_(std::move(options)),
      environment_(environment),
      ledger_(std::move(ledger)),
      clients_(first_number),
      pending_(first_number),
      watch_charges_(clients_, *ledger_),
      touch_intervals_(options_.heartbeat, environment.now()),
      replica_(service_options(options_, *ledger_, watch_charges_), options_.levels),
      index_waiters_(clients_, replica_, environment),
      sender_(clients_, replica_, touch_intervals_, environment, *ledger_, index_waiters_,
              options_),
      replies_(clients_, pending_, replica_, environment, sender_),
      clock_(options_, environment),
      ordering_(options_.id, options_.heartbeat,
                {options_.held_bytes_max, options_.outstanding_commands}, replica_.service(),
                clock_, touch_intervals_, environment),
      levels_(options_.upgrade_automatically, replica_.service(), ordering_, environment),
      session_ends_(replica_.service(), ordering_),
      session_setup_(options_, replica_, clients_, replies_, touch_intervals_, environment),
      intake_(options_, clients_, pending_, replica_, sender_, replies_, touch_intervals_,
              ordering_, session_setup_, environment),
      drain_(clients_) {}

// --- From clients ---

void Pipeline::opened(const std::shared_ptr<ClientConnection>& connection) {
  Client& client = clients_.add(connection);
  client.identities = znode::Identities::of({{"ip", connection->remote_address()}});
  client.accounts = ledger_->of(connection->remote_address());
  client.requests = Holding(account_of(client.accounts, Budget::requests));
  client.kept = Holding(account_of(client.accounts, Budget::waiting));
  client.watches = Holding(account_of(client.accounts, Budget::watches));
  drain_.connected(client);
}

// Next: Intake::take (intake.cc).
void Pipeline::received(ClientConnection& connection, wire::ParsedFrame frame) {
  Client* client = clients_.find(connection);
  if (client == nullptr) return;
  touch(*client, ordering_);
  const std::size_t requests = std::max<std::size_t>(frame.requests.size(), 1);
  const Arrival arrived{environment_.now(), static_cast<std::uint32_t>(frame.bytes / requests)};
  for (wire::ParsedRequest& parsed : frame.requests) {
    if (client->state == Client::State::ended || client->ending) return;
    Arrival one = arrived;
    if (requests > 1 || client->outstanding() > 0) one.bytes += memory_of(parsed);
    intake_.take(*client, std::move(parsed), one);
  }
  if (client->state == Client::State::connected) session_setup_.begin_without_request(*client);
  if (frame.fault == wire::ParsedFrame::Fault::too_deep) {
    end_after_replies(*client, CloseCode::policy_violation,
                      std::string(wire::close_reason::too_deep));
  } else if (frame.fault == wire::ParsedFrame::Fault::too_large) {
    end_after_replies(*client, CloseCode::too_big, std::string(wire::close_reason::too_large));
  }
  sender_.flush(*client);
}

void Pipeline::alive(ClientConnection& connection) {
  if (Client* client = clients_.find(connection)) touch(*client, ordering_);
}

// Nothing waits for a client that has left. The leader still carries out its commands, so they are
// still charged to its address.
void Pipeline::closed(ClientConnection& connection) {
  if (const Client* client = clients_.find(connection)) {
    session_setup_.left(*client);
    for (const std::uint64_t tag : client->order.waiting()) {
      ordering_.forget_read_point(tag);
      const auto request = pending_.remove(tag);
      if (!request) continue;
      ordering_.charge(tag, Charge(account_of(client->accounts, Budget::requests),
                                   request->timing.arrived.bytes));
    }
    if (client->connecting && client->connecting->request.last_zxid) {
      pending_.remove_session_request(client->number, *client->connecting->request.last_zxid);
    }
  }
  if (const auto session = clients_.remove(connection)) replica_.watches().remove_session(*session);
}

void Pipeline::go_on() {
  ordering_.go_on(intake_.outcomes());
  intake_.carry_out();
  std::vector<std::uint64_t> indexed;
  if (replica_.watches().is_indexing_turns()) {
    const SteadyClock::time_point begin = environment_.now();
    sender_.lag(replica_.service().index_turns(sender_.event_sink()));
    sender_.charge_index_waiters(environment_.now() - begin);
    indexed = index_waiters_.pop_ready();
  }
  replies_.begin_turn();
  for (const std::uint64_t number : indexed) {
    if (Client* waiter = clients_.find(number)) intake_.resume(*waiter);
  }
  Client* client = sender_.next_turn();
  if (client == nullptr) return;
  intake_.resume(*client);
}

void Pipeline::sent(ClientConnection& connection) {
  Client* client = clients_.find(connection);
  if (client == nullptr) return;
  client->receives = true;
  if (!client->paused && !client->is_put_off()) return;
  intake_.resume(*client);
}

// --- From the protocol ---

// Next: Watches::fire (session/watches.cc), after znode::apply; session::Service::apply calls both.
// On the client's server then Replies::reply (replies.cc).
void Pipeline::deliver(const zab::Txn& txn) {
  const auto origin = session::origin_of(*txn.payload);
  const bool is_ours = origin && origin->owner.server == options_.id;
  if (is_ours) replies_.read_before(*origin);

  const bool applies = !replica_.halt();
  const wire::Level level = replica_.service().level();
  const bool is_awaited = is_ours && pending_.find(origin->tag) != nullptr;
  std::optional<session::Applied> done = replica_.apply(
      txn, is_awaited ? session::BuildReply::yes : session::BuildReply::no, sender_.event_sink());
  if (!done && applies) stop_serving();
  if (!done) return;
  session::Applied& applied = *done;
  if (replica_.service().level() != level) levels_.changed();
  sender_.lag(applied.lagging);
  session_setup_.applied(applied);
  if (applied.owner.server == options_.id) reply(applied);
  ordering_.applied(applied, intake_.outcomes());
  intake_.carry_out();
  session_ends_.applied(applied);

  while (const auto due = pending_.pop_due(replica_.applied())) intake_.perform(*due);
  replies_.release_caught_up_reads();
}

// To the client of this server whose command was applied.
void Pipeline::reply(session::Applied& applied) {
  using Change = session::Applied::SessionChange;
  const bool moved = applied.session_change == Change::moved;
  if (applied.session_change == Change::opened || moved) {
    pending_.remove(applied.tag);
    Client* client = clients_.find(applied.owner.connection);
    if (client != nullptr) intake_.open_session(*client, applied.session, moved);
    return;
  }
  if (applied.session_change == Change::closed) applied.reply = wire::ClosedReply{};
  replies_.reply(applied.tag,
                 applied.refusal ? applied.refusal->reply() : std::move(applied.reply));
}

void Pipeline::confirmed(const zab::Confirmed& confirmed) {
  ordering_.confirmed(confirmed, intake_.outcomes());
  intake_.carry_out();
}

// The state of this server stays as it is, and gets old. It follows, votes and logs as before.
void Pipeline::stop_serving() {
  spdlog::critical(
      "transaction {} cannot be applied: {}. This server serves no clients any more. {}",
      wire::to_string(replica_.halt()->zxid), replica_.halt()->why, replica_.halt()->help);
  drain_.redirect_all("this server cannot apply what is committed");
  pending_.clear();
  clients_.detach_all();
  ordering_.forget_all();
  role_changed(role_status());
}

void Pipeline::set_level(wire::Level level, LevelChanges::Done done) {
  levels_.request(level, std::move(done), intake_.outcomes());
  intake_.carry_out();
}

void Pipeline::end_session(wire::SessionId session, SessionEnds::Done done) {
  session_ends_.request(session, std::move(done), intake_.outcomes());
  intake_.carry_out();
}

void Pipeline::role_changed(const zab::RoleStatus& changed) {
  zab::RoleStatus role_status = changed;
  if (replica_.halt()) role_status.serving = false;
  ordering_.role_changed(role_status, intake_.outcomes());
  levels_.role_changed(intake_.outcomes());
  intake_.carry_out();
  session_ends_.role_changed();
  if (!role_status.serving) return;
  session_setup_.serves();
  for (const auto& [number, client] : clients_.by_number()) {
    if (client->state == Client::State::waiting) intake_.request_session(*client);
    if (client->read_only) redirect(*client, "a quorum is there again");
  }
}

void Pipeline::restored(session::Service&& service) {
  const wire::Level level = replica_.service().level();
  replica_.become(std::move(service));
  if (replica_.service().level() != level) levels_.changed();
  drain_.redirect_all("this server fell far behind and has caught up by a snapshot");
  pending_.clear();
  clients_.detach_all();
  ordering_.forget_all();
  session_setup_.restored();
}

void Pipeline::tick() {
  pending_.tick();
  clock_.tick(replica_.service().time());
  ordering_.tick(pending_.next_tag(), intake_.outcomes());
  levels_.tick(intake_.outcomes());
  intake_.carry_out();
  replies_.refuse_late_reads();
  sender_.relieve();
  sender_.lag(replica_.service().tick_turns(sender_.event_sink()));
  index_waiters_.tick();
  session_setup_.tick(role_status().serving);
  for (const auto& [number, client] : clients_.by_number()) {
    if (const auto session = session_setup_.tick_client(*client)) {
      intake_.open_session(*client, session->id, session->resumed);
    }
    // Nothing is read from a paused client. Its session must not expire for that reason, unless the
    // client does not receive anything either.
    const bool receives = std::exchange(client->receives, false);
    const bool is_unread = client->paused || client->ending;
    if (is_unread && (receives || !client->is_behind())) touch(*client, ordering_);
    if (client->paused || client->is_put_off()) intake_.resume(*client);
  }
}

void Pipeline::read(Readings& readings) const {
  readings.replica = replica_.counters();
  readings.sessions_max = options_.max_sessions;
  clock_.read(readings);
  ordering_.read(readings);
  replies_.read(readings);
  sender_.read(readings);
}

}  // namespace server
