#include "server/pipeline/client_sender.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "wire/leaves_watch.h"

namespace server {
namespace {

// So much may wait for a client before it is held back.
constexpr std::size_t waiting_mark_max = std::size_t{1} << 20;

void give_back(Client& client, const RequestTiming& timing) {
  client.requests.set(client.requests.bytes() - timing.arrived.bytes);
}

// Whether the request cannot be undone or performed again: it has removed a watch, or events were
// sent since the `from` of its watch. Its reply is small.
bool has_lasting_effect(const wire::Request& request) {
  return std::holds_alternative<wire::WatchRequest>(request) ||
         std::holds_alternative<wire::UnwatchRequest>(request);
}

wire::Error reply_too_large(std::size_t limit) {
  return {wire::ErrorCode::too_large, "the reply has more than the " + std::to_string(limit) +
                                          " bytes that may wait for one client; read less at once"};
}

}  // namespace

ClientSender::ClientSender(ClientIndex& clients, Replica& replica,
                           const TouchIntervals& touch_intervals, Environment& environment,
                           Ledger& ledger, IndexWaiters& index_waiters,
                           const PipelineOptions& options)
    : clients_(clients),
      replica_(replica),
      touch_intervals_(touch_intervals),
      environment_(environment),
      ledger_(ledger),
      index_waiters_(index_waiters),
      slices_(options.slice_bytes),
      sink_([this](wire::SessionId session, wire::WatchEvent&& event) {
        return send_event(session, std::move(event));
      }),
      outstanding_max_(options.max_outstanding_requests),
      request_bytes_max_(ledger.limits(Budget::requests).connection),
      waiting_mark_(std::min(waiting_mark_max, ledger.limits(Budget::waiting).connection / 2)) {}

// A client that is held back gets the replies that are known: events may come after them. Only
// reads wait.
void ClientSender::flush(Client& client) {
  if (client.lags) resume_watches_if_room(client);
  if (client.is_held_back() || client.lags) client.held_back = held_back(client);
  while (std::optional next = client.order.pop_ready()) {
    if (auto* queued = std::get_if<QueuedReply>(&*next)) {
      wire::Reply& reply = queued->reply;
      stamp(client, reply);
      if (queued->turn) {
        send_with_turn(client, std::move(*queued));
        client.held_back = held_back(client);
        continue;
      }
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
      if (!client.is_held_back()) {
        client.held_back =
            client.index ? Client::HeldBack::until_indexed : Client::HeldBack::until_all;
      }
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

QueuedReply ClientSender::read(Client& client, const QueuedRead& read) {
  const wire::ClientRequest& request = read.request;
  client.index.reset();
  QueuedReply reply{{request.id, replica_.applied(), request.encoding, wire::EmptyReply{}},
                    read.timing};
  if (client.state == Client::State::ended) {
    reply.reply.body = session_moved();
    return reply;
  }
  auto answer = replica_.read(client.session, read);
  if (replica_.watches().is_indexing_turns()) environment_.call_soon();
  if (!answer) {
    reply.reply.body = std::move(answer.error());
    return reply;
  }
  send_missed(client, request.request, std::move(answer->events));
  reply.reply.body = std::move(answer->reply);
  if (auto* pong = std::get_if<wire::PongReply>(&*reply.reply.body)) {
    pong->valid_ms =
        touch_intervals_.valid_ms(client.touch, client.timeout_ms, read.timing.arrived.at);
  }
  return reply;
}

// Sets the zxid of a reply. A later read that was performed early (`read_before`) has its zxid
// already. The zxid of this reply must not be greater: a client never sees zxids go back.
void ClientSender::stamp(Client& client, wire::Reply& reply) const {
  if (reply.zxid != wire::Zxid{}) {
    client.stamped_replies -= 1;
    return;
  }
  reply.zxid = std::min(replica_.applied(), zxid_of_next(client));
}

// The zxid of the next reply that has one; the greatest of all if there is none.
wire::Zxid ClientSender::zxid_of_next(const Client& client) {
  const QueuedReply* stamped =
      client.stamped_replies == 0 ? nullptr : client.order.find_reply([](const QueuedReply& other) {
        return other.reply.zxid != wire::Zxid{};
      });
  return stamped != nullptr ? stamped->reply.zxid : wire::Zxid::from_bits(~std::uint64_t{0});
}

// Next: `write` (wire/message_writer.cc) encodes the reply, called by Carrier::send.
void ClientSender::hand_over(Client& client, QueuedReply&& reply) {
  give_back(client, reply.timing);
  if (reply.kept_bytes > 0) client.kept.set(client.kept.bytes() - reply.kept_bytes);
  if (!reply.reply.body) counters_.errors[reply.reply.body.error().code] += 1;
  client.connection->send(std::move(reply.reply));
}

void ClientSender::observe(const RequestTiming& timing, SteadyClock::time_point now) {
  counters_.took[static_cast<std::size_t>(timing.effort)].observe(now - timing.arrived.at);
}

void ClientSender::send(Client& client, QueuedReply&& reply) {
  observe(reply.timing, environment_.now());
  hand_over(client, std::move(reply));
}

bool ClientSender::send(Client& client, const QueuedRead& due) {
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

bool ClientSender::perform(Client& client, const QueuedRead& due) {
  if (index_waiters_.awaits(client, due)) return false;
  QueuedReply reply = read(client, due);
  reply.reply.zxid = std::min(reply.reply.zxid, zxid_of_next(client));
  if (has_lasting_effect(due.request.request) || !reply.reply.body) {
    hand_over(client, std::move(reply));
    return true;
  }
  const wire::ServerMessage message(std::move(reply.reply));
  const Offer offer = client.connection->offer(message);
  if (offer == Offer::queued) {
    give_back(client, due.timing);
    return true;
  }
  // The read has no effect now.
  if (wire::leaves_watch(due.request.request)) {
    static_cast<void>(replica_.watches().remove(client.session, due.request.id));
  }
  if (offer == Offer::no_room && client.connection->queued_bytes() > 0) return false;
  wire::Error error = offer == Offer::no_room
                          ? overloaded(Budget::waiting)
                          : reply_too_large(ledger_.limits(Budget::waiting).connection);
  hand_over(client, {{due.request.id, replica_.applied(), due.request.encoding, std::move(error)},
                     due.timing});
  return true;
}

void ClientSender::read(Readings& readings) const {
  readings.requests = counters_;
  readings.indexed_children = replica_.watches().indexed_children();
  for (const auto& [number, client] : clients_.by_number()) {
    readings.outstanding_requests += client->outstanding();
    readings.paused_connections += client->paused ? 1 : 0;
    readings.queued_bytes += client->connection->queued_bytes();
  }
}

}  // namespace server
