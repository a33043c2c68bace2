#include "server/pipeline/replies.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "server/clients/limits.h"

namespace server {
namespace {

// So much may wait for a client before it is held back.
constexpr std::size_t waiting_mark_max = std::size_t{1} << 20;

// Whether carrying out the read has an effect: then its reply must not be refused.
bool sets_watch(const wire::Request& request) {
  return std::visit(
      [](const auto& one) {
        if constexpr (requires { one.read.watch; }) {
          return one.read.watch;
        } else {
          return std::is_same_v<std::decay_t<decltype(one)>, wire::WatchRequest>;
        }
      },
      request);
}

void charge(Client& client, const RequestTiming& timing) {
  client.requests.set(client.requests.bytes() + timing.arrived.bytes);
}

void give_back(Client& client, const RequestTiming& timing) {
  client.requests.set(client.requests.bytes() - timing.arrived.bytes);
}

wire::Error reply_too_large(std::size_t limit) {
  return {wire::ErrorCode::too_large, "the reply has more than the " + std::to_string(limit) +
                                          " bytes that may wait for one client; read less at once"};
}

// So long all reads before writes may take in one turn of the event loop. Only those that take long
// are counted.
constexpr std::chrono::milliseconds early_reads_max{10};
constexpr std::chrono::microseconds long_reads{200};
// A client that does not take what waits for it gets larger replies of multis truncated.
constexpr std::size_t kept_reply_bytes = 16 * 1024;

// The parts of replies that may be large.
std::size_t bytes_of(const wire::GetReply& reply) { return reply.data.size(); }

std::size_t bytes_of(const wire::ChildrenReply& reply) {
  std::size_t bytes = 0;
  for (const wire::Child& child : reply.children) {
    bytes += sizeof child + (child.data ? child.data->size() : 0);
  }
  return bytes;
}

std::size_t bytes_of(const wire::EphemeralsReply& reply) {
  std::size_t bytes = 0;
  for (const std::string& path : reply.paths) bytes += sizeof path + path.size();
  return bytes;
}

std::size_t bytes_of(const auto&) { return 0; }

std::size_t bytes_of(const wire::MultiReply& reply) {
  std::size_t bytes = reply.results.size() * sizeof reply.results.front();
  for (const auto& result : reply.results) {
    if (result.has_error()) continue;
    bytes += std::visit([](const auto& one) { return bytes_of(one); }, *result);
  }
  return bytes;
}

wire::Error too_many_reads() {
  return {wire::ErrorCode::overloaded,
          "the reads that the session sent before a write took too long, or too much memory; this "
          "one was not done, and can be sent again"};
}

wire::Error session_moved() {
  return {wire::ErrorCode::session_moved, "the session moved to another connection"};
}

}  // namespace

Replies::Replies(ClientIndex& clients, Pending& pending, Replica& replica, Environment& environment,
                 Ledger& ledger, const PipelineOptions& options)
    : clients_(clients),
      pending_(pending),
      replica_(replica),
      environment_(environment),
      ledger_(ledger),
      slices_(options.slice_bytes),
      sink_([this](wire::SessionId session, wire::WatchEvent&& event) {
        return send_event(session, std::move(event));
      }),
      outstanding_max_(options.max_outstanding_requests),
      request_bytes_max_(ledger.limits(Budget::requests).connection),
      waiting_mark_(std::min(waiting_mark_max, ledger.limits(Budget::waiting).connection / 2)) {}

void Replies::reply_now(Client& client, const wire::ClientRequest& request,
                        wire::Result<wire::ReplyBody> body, Arrival arrived) {
  push(client, {{request.id, {}, request.encoding, std::move(body)}, {arrived}});
}

void Replies::refuse_malformed(Client& client, wire::BadRequest bad, Arrival arrived) {
  if (bad.error.code != wire::ErrorCode::overloaded) counters_.malformed += 1;
  push(client, {{std::move(bad.id), {}, {}, std::move(bad.error)}, {arrived}});
}

void Replies::push(Client& client, QueuedReply reply) {
  charge(client, reply.timing);
  if (!client.order.empty()) keep(client, reply);
  client.order.push_reply(std::move(reply));
  flush(client);
}

void Replies::keep(Client& client, QueuedReply& reply) const {
  if (!reply.reply.body) return;
  reply.kept_bytes = static_cast<std::uint32_t>(
      std::visit([](const auto& one) { return bytes_of(one); }, *reply.reply.body));
  client.kept.set(client.kept.bytes() + reply.kept_bytes);
}

void Replies::read_local(Client& client, QueuedRead read) {
  charge(client, read.timing);
  client.order.push_read(std::move(read));
  flush(client);
}

std::uint64_t Replies::hold_write(Client& client, wire::ClientRequest request, Arrival arrived) {
  const RequestTiming timing{arrived, Effort::write};
  charge(client, timing);
  const std::uint64_t tag =
      pending_.add({client.number, std::move(request.id), request.encoding, timing});
  client.order.push_write(tag);
  return tag;
}

std::uint64_t Replies::hold_read(Client& client, QueuedRead read) {
  charge(client, read.timing);
  const std::uint64_t tag =
      pending_.add({client.number, read.request.id, read.request.encoding, read.timing});
  client.order.push_held_read(tag, std::move(read));
  return tag;
}

void Replies::hold_read_at_least(Client& client, QueuedRead read, std::uint64_t ticks_max) {
  const wire::Zxid at_least = read.at_least;
  const std::uint64_t tag = hold_read(client, std::move(read));
  pending_.add_read(tag, at_least, ticks_max);
  release_caught_up_reads();
}

void Replies::reply(std::uint64_t tag, wire::Result<wire::ReplyBody> body) {
  auto request = pending_.remove(tag);
  if (!request) return;
  Client* client = clients_.find(request->client);
  if (client == nullptr) return;
  const auto* multi = body ? std::get_if<wire::MultiReply>(&*body) : nullptr;
  const bool leaves_out = client->is_behind() || keeps_no_more(*client);
  if (leaves_out && multi != nullptr && bytes_of(*multi) > kept_reply_bytes) {
    body = wire::ReplyBody{wire::TruncatedReply{replica_.applied()}};
  }
  QueuedReply reply{{std::move(request->id), {}, request->encoding, std::move(body)},
                    request->timing};
  if (!client->order.is_next(tag)) keep(*client, reply);
  client->order.answer(tag, std::move(reply));
  flush(*client);
}

void Replies::refuse(std::uint64_t tag, const session::Refusal& refusal) {
  const Pending::Request* request = pending_.find(tag);
  if (request == nullptr) return;
  Client* client = clients_.find(request->client);
  if (client != nullptr && client->state == Client::State::opening) {
    pending_.remove(tag);
    return refuse_connect(*client, refusal.error);
  }
  reply(tag, refusal.reply());
}

void Replies::release_read(std::uint64_t tag) {
  const auto request = pending_.remove(tag);
  if (!request) return;
  Client* client = clients_.find(request->client);
  if (client == nullptr) return;
  client->order.release(tag);
  flush(*client);
}

void Replies::release_caught_up_reads() {
  while (const auto tag = pending_.pop_read(replica_.applied())) release_read(*tag);
}

void Replies::refuse_late_reads() {
  while (const auto late = pending_.pop_late_read()) {
    reply(late->tag,
          wire::Error{wire::ErrorCode::server_behind,
                      "this server has applied " + wire::to_hex(replica_.applied()) + " only; " +
                          wire::to_hex(late->zxid) + " did not come within the session's timeout"});
  }
}

// A session's read must not see a later write of the session. The read may still wait for the
// quorum, or for the leader's refusal of an earlier write. It is performed now instead, and it is
// linearizable: this write was proposed after the read came, and the commit proves that its leader
// still led then. So every write that was acknowledged before the read came is applied here.
void Replies::read_before(const session::Origin& origin) {
  Client* client = clients_.find(origin.owner.connection);
  if (client == nullptr) return;
  std::optional<SteadyClock::time_point> begin;  // of the first one
  const auto perform = [&](const QueuedRead& queued) -> std::optional<QueuedReply> {
    if (queued.at_least > replica_.applied()) return std::nullopt;
    const SteadyClock::time_point now = environment_.now();
    if (!begin) begin = now;
    if (early_reads_ + (now - *begin) > early_reads_max || keeps_no_more(*client)) {
      return QueuedReply{{queued.request.id, {}, queued.request.encoding, too_many_reads()},
                         queued.timing};
    }
    client->stamped_replies += 1;
    if (client->lags) resume_watches(*client, Resume::always);
    QueuedReply reply = read(*client, queued);
    keep(*client, reply);
    return reply;
  };
  if (!client->order.read_before(origin.tag, perform)) return;
  const SteadyClock::duration took = environment_.now() - *begin;
  if (took > long_reads) {
    early_reads_ += took;
    environment_.call_soon();
  }
  flush(*client);
}

void Replies::refuse_connect(Client& client, const wire::Error& error) {
  counters_.errors[error.code] += 1;
  CloseCode code = CloseCode::normal;
  if (error.code == wire::ErrorCode::bad_arguments) code = CloseCode::policy_violation;
  if (error.code == wire::ErrorCode::too_large) code = CloseCode::too_big;
  client.connection->send(
      wire::ConnectRefused{error, replica_.applied(), std::move(client.connect_id)});
  disconnect(client, code, std::string(wire::name(error.code)));
}

void Replies::displace(Client& client) {
  client.state = Client::State::ended;
  const wire::Error moved = session_moved();
  for (const std::uint64_t tag : client.order.waiting()) reply(tag, moved);
  disconnect(client, CloseCode::normal, "session moved");
}

// A client that is held back gets the replies that are known: events may come after them. Only
// reads wait.
void Replies::flush(Client& client) {
  if (client.lags) resume_watches(client, Resume::if_room);
  if (client.is_held_back() || client.lags) client.held_back = held_back(client);
  while (std::optional next = client.order.pop_ready()) {
    if (auto* queued = std::get_if<QueuedReply>(&*next)) {
      wire::Reply& reply = queued->reply;
      stamp(client, reply);
      const bool closed = reply.body && std::holds_alternative<wire::ClosedReply>(*reply.body);
      send(client, std::move(*queued));
      if (closed) return disconnect(client, CloseCode::normal, "session closed");
      client.held_back = held_back(client);
      continue;
    }
    auto& due = std::get<QueuedRead>(*next);
    if (!client.is_held_back() && slices_.is_turn_over()) {
      slices_.enter(client.number, client.debt);
      client.held_back = Client::HeldBack::until_turn;
    }
    const bool is_performed = !client.is_held_back() && send(client, due);
    if (!is_performed) {
      if (!client.is_held_back()) client.held_back = Client::HeldBack::until_all;
      client.order.put_back(std::move(due));
      break;
    }
    client.held_back = held_back(client);
  }
  if (!client.ending) return apply_backpressure(client);
  if (client.outstanding() > 0 || client.state == Client::State::ended) return;
  const auto& [code, reason] = *client.ending;
  if (code == CloseCode::going_away) return redirect(client, reason);
  disconnect(client, code, reason);
}

// If the read sets a watch that begins in the past, sends the missed events before the reply.
QueuedReply Replies::read(Client& client, const QueuedRead& read) {
  const wire::ClientRequest& request = read.request;
  QueuedReply reply{{request.id, replica_.applied(), request.encoding, wire::EmptyReply{}},
                    read.timing};
  if (client.state == Client::State::ended) {
    reply.reply.body = session_moved();
    return reply;
  }
  auto answer = replica_.read(client.session, read);
  if (!answer) {
    reply.reply.body = std::move(answer.error());
    return reply;
  }
  counters_.watch_events += answer->events.size();
  for (wire::WatchEvent& event : answer->events) client.connection->send(std::move(event));
  reply.reply.body = std::move(answer->reply);
  return reply;
}

// Sets the zxid of a reply. A later read that was performed early (`read_before`) has its zxid
// already. The zxid of this reply must not be greater: a client never sees zxids go back.
void Replies::stamp(Client& client, wire::Reply& reply) const {
  if (reply.zxid != wire::Zxid{}) {
    client.stamped_replies -= 1;
    return;
  }
  reply.zxid = replica_.applied();
  if (client.stamped_replies == 0) return;
  const QueuedReply* stamped = client.order.find_reply(
      [](const QueuedReply& other) { return other.reply.zxid != wire::Zxid{}; });
  if (stamped != nullptr) reply.zxid = std::min(reply.zxid, stamped->reply.zxid);
}

// Next: Carrier::send (clients/carrier.cc); wire/message_writer.cc encodes the reply.
void Replies::hand_over(Client& client, QueuedReply&& reply) {
  give_back(client, reply.timing);
  if (reply.kept_bytes > 0) client.kept.set(client.kept.bytes() - reply.kept_bytes);
  if (!reply.reply.body) counters_.errors[reply.reply.body.error().code] += 1;
  client.connection->send(std::move(reply.reply));
}

void Replies::observe(const RequestTiming& timing, SteadyClock::time_point now) {
  counters_.took[static_cast<std::size_t>(timing.effort)].observe(now - timing.arrived.at);
}

void Replies::send(Client& client, QueuedReply&& reply) {
  observe(reply.timing, environment_.now());
  hand_over(client, std::move(reply));
}

bool Replies::send(Client& client, const QueuedRead& due) {
  const SteadyClock::time_point begin = environment_.now();
  const std::size_t queued = client.connection->queued_bytes();
  const bool is_sent = perform(client, due);
  const SteadyClock::time_point end = environment_.now();
  if (is_sent) observe(due.timing, end);
  const std::size_t now_queued = client.connection->queued_bytes();
  if (slices_.charge(client.number, client.debt, now_queued - std::min(now_queued, queued),
                     end - begin)) {
    environment_.call_soon();
  }
  if (slices_.is_used_up(client.debt)) counters_.turns_waited += 1;
  return is_sent;
}

bool Replies::perform(Client& client, const QueuedRead& due) {
  QueuedReply reply = read(client, due);
  if (sets_watch(due.request.request) || !reply.reply.body) {
    hand_over(client, std::move(reply));
    return true;
  }
  const wire::ServerMessage message(std::move(reply.reply));
  const Offer offer = client.connection->offer(message);
  if (offer == Offer::no_room && client.connection->queued_bytes() >= Holding::step) return false;
  if (offer == Offer::queued) {
    give_back(client, due.timing);
    return true;
  }
  wire::Error error = offer == Offer::no_room
                          ? overloaded(Budget::waiting)
                          : reply_too_large(ledger_.limits(Budget::waiting).connection);
  hand_over(client, {{due.request.id, replica_.applied(), due.request.encoding, std::move(error)},
                     due.timing});
  return true;
}

void Replies::read(Readings& readings) const {
  readings.requests = counters_;
  readings.queues.push_back({"replies", pending_.requests()});
  readings.queues.push_back({"reads_behind", pending_.reads()});
  readings.queues.push_back({"connects_behind", pending_.session_requests()});
  for (const auto& [number, client] : clients_.by_number()) {
    readings.outstanding_requests += client->outstanding();
    readings.paused_connections += client->paused ? 1 : 0;
    readings.queued_bytes += client->connection->queued_bytes();
  }
}

}  // namespace server
