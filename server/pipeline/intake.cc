#include "server/pipeline/intake.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <variant>

#include "server/pipeline/admission.h"

namespace server {
namespace {

// Whether a request can be refused for lack of room: not if it ends something, or costs nothing.
bool needs_room(const wire::ClientRequest& request) {
  return !std::holds_alternative<wire::CloseRequest>(request.request) &&
         !std::holds_alternative<wire::PingRequest>(request.request);
}

}  // namespace

Intake::Intake(const PipelineOptions& options, ClientIndex& clients, Pending& pending,
               Replica& replica, ClientSender& sender, Replies& replies,
               TouchIntervals& touch_intervals, Ordering& ordering, SessionSetup& session_setup,
               Environment& environment)
    : options_(options),
      clients_(clients),
      pending_(pending),
      replica_(replica),
      sender_(sender),
      replies_(replies),
      touch_intervals_(touch_intervals),
      ordering_(ordering),
      session_setup_(session_setup),
      environment_(environment) {}

void Intake::take(Client& client, wire::ParsedRequest&& parsed, Arrival arrived) {
  if (client.state == Client::State::connected) {
    const bool waits = session_setup_.begin(client, std::move(parsed));
    if (waits && ordering_.role_status().serving) request_session(client);
    return;
  }
  if (parsed && needs_room(*parsed) && !Replies::has_room(client, arrived)) {
    parsed = wire::BadRequest{std::move(parsed->id), sender_.overloaded(Budget::requests)};
    arrived.bytes = 0;
  }
  const bool begins =
      client.early_requests.empty() && client.begins_requests(options_.max_outstanding_requests);
  if (!begins) {
    client.early_requests.push_back(std::move(parsed));
    client.early_bytes += arrived.bytes;
    client.requests.set(client.requests.bytes() + arrived.bytes);
  } else if (!parsed) {
    replies_.refuse_malformed(client, std::move(parsed).error(), arrived);
  } else {
    begin(client, *std::move(parsed), arrived);
  }
}

// Next: `admit` (admission.cc) decides what the request needs. Then Ordering::submit (ordering.cc)
// for a write, or Replies::read_local (replies.cc) for a local read.
void Intake::begin(Client& client, wire::ClientRequest&& request, Arrival arrived) {
  replies_.counters().by_operation[request.request.index()] += 1;
  Admission admission =
      admit(request, {client.session, client.read_only, client.dedup, client.last_number},
            {options_.max_data_bytes, options_.max_multi_ops});
  if (auto refused = reserve_turn(client, request, admission)) {
    replies_.reply_now(client, request, *std::move(refused), arrived);
  } else if (auto* write = std::get_if<Write>(&admission)) {
    if (write->number) client.last_number = write->number;
    const std::uint64_t tag = replies_.hold_write(client, std::move(request), arrived);
    ordering_.submit({client.session,
                      {options_.id, client.number},
                      tag,
                      std::move(write->body),
                      client.identities,
                      write->number,
                      std::move(write->conditions)},
                     outcomes_);
    carry_out();
  } else if (std::holds_alternative<LocalRead>(admission)) {
    replies_.read_local(client, {std::move(request), client.identities, {arrived}});
  } else if (std::holds_alternative<QuorumRead>(admission)) {
    const std::uint64_t tag = replies_.hold_read(
        client, {std::move(request), client.identities, {arrived, Effort::quorum}});
    ordering_.ask_read_point(tag, outcomes_);
    carry_out();
  } else if (const auto* read = std::get_if<ReadAtLeast>(&admission)) {
    replies_.hold_read_at_least(
        client, {std::move(request), client.identities, {arrived, Effort::quorum}, read->zxid},
        options_.ticks(std::chrono::milliseconds(client.timeout_ms)));
  } else if (const auto* repeated = std::get_if<RepeatedWrite>(&admission)) {
    const session::Results* results = replica_.sessions().results(client.session);
    replies_.reply_now(client, request,
                       known_outcome(results, repeated->number, *client.last_number,
                                     sender_.keeps_no_more(client)),
                       arrived);
  } else if (std::holds_alternative<Authenticate>(admission)) {
    const auto& auth = std::get<wire::AuthRequest>(request.request);
    replies_.reply_now(client, request, session_setup_.add_identities(client, auth), arrived);
  } else {
    replies_.reply_now(client, request, std::move(std::get<ReplyNow>(admission).body), arrived);
  }
}

// A create that is sent again needs no room: it is done.
std::optional<wire::Error> Intake::reserve_turn(const Client& client,
                                                const wire::ClientRequest& request,
                                                const Admission& admission) {
  const auto* create = std::get_if<wire::CreateRequest>(&request.request);
  const bool asks = create != nullptr && create->turn && std::holds_alternative<Write>(admission);
  if (!asks) return std::nullopt;
  const auto reserved = replica_.service().reserve_turn({client.session, client.identities},
                                                        request.id, create->path, *create->turn);
  if (reserved) return std::nullopt;
  return reserved.error();
}

// Only for a client that waits, while this server serves.
void Intake::request_session(Client& client) {
  auto step = session_setup_.next_step(client);
  if (!step) return;
  if (auto* behind = std::get_if<WhenApplied>(&*step)) return pending_.add_at(std::move(*behind));
  auto& command = std::get<session::Command>(*step);
  command.tag = pending_.add({client.number, {}, {}, {}});
  ordering_.submit(std::move(command), outcomes_);
  carry_out();
}

void Intake::open_session(Client& client, wire::SessionId session, bool resumed) {
  session_setup_.open(client, session, resumed,
                      client_role(options_, ordering_.role_status().role));
  begin_early_requests(client);
  sender_.flush(client);
}

void Intake::resume(Client& client) {
  sender_.flush(client);
  begin_early_requests(client);
}

// Stops when the client may begin no more requests. The rest stay early requests.
void Intake::begin_early_requests(Client& client) {
  if (client.state != Client::State::open || client.early_requests.empty()) return;
  const SteadyClock::time_point now = environment_.now();
  auto early = std::exchange(client.early_requests, {});
  while (!early.empty() && !client.ends_at_once() &&
         client.begins_requests(options_.max_outstanding_requests)) {
    const std::size_t bytes = client.early_bytes / early.size();
    client.early_bytes -= bytes;
    client.requests.set(client.requests.bytes() - bytes);
    wire::ParsedRequest parsed = std::move(early.front());
    early.pop_front();
    take(client, std::move(parsed), {now, static_cast<std::uint32_t>(bytes)});
  }
  if (client.ends_at_once() || client.state != Client::State::open) early.clear();
  if (early.empty()) {
    client.requests.set(client.requests.bytes() - std::exchange(client.early_bytes, 0));
  }
  client.early_requests = std::move(early);
  sender_.flush(client);
}

// Next: Leading::on(Submit) (zab/leading_broadcast.cc) for a Submit event; Ordering::on(Forward) on
// the leader for a forwarded command.
void Intake::carry_out() {
  for (OrderingOutcome& outcome : outcomes_) {
    if (auto* event = std::get_if<zab::Event>(&outcome)) {
      environment_.post(std::move(*event));
    } else if (const auto* message = std::get_if<SendToServer>(&outcome)) {
      environment_.send(message->to, message->message);
    } else if (auto* later = std::get_if<WhenApplied>(&outcome)) {
      const bool due = later->zxid <= replica_.applied();
      due ? perform(later->action) : pending_.add_at(std::move(*later));
    } else if (Client* client = clients_.find(std::get<OutcomeUnknown>(outcome).connection)) {
      redirect(*client, "the link to the leader was lost in between");
    }
  }
  outcomes_.clear();
}

void Intake::perform(const WhenApplied::Action& due) {
  if (const auto* refusal = std::get_if<WhenApplied::ReplyRefusal>(&due)) {
    replies_.refuse(refusal->tag, refusal->refusal);
  } else if (const auto* read = std::get_if<WhenApplied::ReleaseRead>(&due)) {
    replies_.release_read(read->tag);
  } else if (const auto* touches = std::get_if<WhenApplied::CountTouches>(&due)) {
    touch_intervals_.confirmed(touches->token);
  } else {
    Client* client = clients_.find(std::get<WhenApplied::RequestSession>(due).client);
    const bool waits = client != nullptr && client->state == Client::State::waiting;
    if (waits && ordering_.role_status().serving) request_session(*client);
  }
}

}  // namespace server
