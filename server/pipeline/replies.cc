#include "server/pipeline/replies.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace server {
namespace {

wire::Error session_moved() {
  return {wire::ErrorCode::session_moved, "the session moved to another connection"};
}

}  // namespace

Replies::Replies(ClientIndex& clients, Pending& pending, Replica& replica, Clock& clock,
                 std::size_t outstanding_max)
    : clients_(clients),
      pending_(pending),
      replica_(replica),
      clock_(clock),
      outstanding_max_(outstanding_max) {}

void Replies::reply_now(Client& client, const wire::ClientRequest& request,
                        wire::Result<wire::ReplyBody> body, SteadyClock::time_point arrived) {
  push(client, {{request.id, {}, request.encoding, std::move(body)}, {arrived}});
}

void Replies::refuse_malformed(Client& client, wire::BadRequest bad,
                               SteadyClock::time_point arrived) {
  counters_.malformed += 1;
  push(client, {{std::move(bad.id), {}, {}, std::move(bad.error)}, {arrived}});
}

void Replies::push(Client& client, QueuedReply reply) {
  client.order.push_reply(std::move(reply));
  flush(client);
}

void Replies::read_local(Client& client, QueuedRead read) {
  client.order.push_read(std::move(read));
  flush(client);
}

std::uint64_t Replies::hold_write(Client& client, wire::ClientRequest request,
                                  SteadyClock::time_point arrived) {
  const std::uint64_t tag = pending_.add(
      {client.number, std::move(request.id), request.encoding, {arrived, Effort::write}});
  client.order.push_write(tag);
  return tag;
}

std::uint64_t Replies::hold_read(Client& client, QueuedRead read) {
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
  client->order.answer(
      tag, {{std::move(request->id), {}, request->encoding, std::move(body)}, request->timing});
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
  const auto perform = [&](const QueuedRead& queued) -> std::optional<QueuedReply> {
    if (queued.at_least > replica_.applied()) return std::nullopt;
    client->stamped_replies += 1;
    return read(*client, queued);
  };
  if (client->order.read_before(origin.tag, perform)) flush(*client);
}

void Replies::send_events(std::vector<session::Delivery> events) {
  for (session::Delivery& delivery : events) {
    Client* client = clients_.find(delivery.session);
    if (client == nullptr) continue;
    counters_.watch_events += 1;
    client->connection->send(std::move(delivery.event));
  }
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

void Replies::flush(Client& client) {
  while (std::optional next = client.order.pop_ready()) {
    if (auto* queued = std::get_if<QueuedReply>(&*next)) {
      wire::Reply& reply = queued->reply;
      stamp(client, reply);
      const bool closed = reply.body && std::holds_alternative<wire::ClosedReply>(*reply.body);
      send(client, std::move(*queued));
      if (closed) return disconnect(client, CloseCode::normal, "session closed");
    } else {
      send(client, read(client, std::get<QueuedRead>(*next)));
    }
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
void Replies::send(Client& client, QueuedReply&& reply) {
  const auto& [arrived, effort] = reply.timing;
  if (!reply.reply.body) counters_.errors[reply.reply.body.error().code] += 1;
  counters_.took[static_cast<std::size_t>(effort)].observe(clock_.now() - arrived);
  client.connection->send(std::move(reply.reply));
}

// A client with too many outstanding requests is not read from: TCP slows it down.
void Replies::apply_backpressure(Client& client) {
  const std::size_t outstanding = client.outstanding();
  if (!client.paused && outstanding >= outstanding_max_) {
    client.paused = true;
    counters_.pauses += 1;
    client.connection->pause();
  } else if (client.paused && outstanding <= outstanding_max_ / 2) {
    client.paused = false;
    client.connection->resume();
  }
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
