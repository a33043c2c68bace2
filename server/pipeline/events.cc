#include <utility>
#include <variant>

#include "server/pipeline/client_sender.h"
#include "session/event_size.h"
#include "session/watches.h"

// The part of ClientSender that sends the events of watches.
namespace server {
namespace {

// JSON may escape data; twice its size is enough for nearly all of it.
std::size_t event_bytes(const wire::WatchEvent& event) {
  return session::size_without_data(event) + (event.data ? 2 * event.data->size() : 0);
}

}  // namespace

bool ClientSender::send_event(wire::SessionId session, wire::WatchEvent&& event) {
  Client* client = clients_.find(session);
  if (client == nullptr) return true;
  const std::size_t bytes = event_bytes(event);
  if (!client->connection->has_room(bytes)) return false;
  counters_.watch_events += 1;
  charge_events(*client, bytes);
  client->connection->send(std::move(event));
  return true;
}

// Events are not put off. The reads of a client that gets many of them are.
void ClientSender::charge_events(Client& client, std::size_t bytes) {
  if (slices_.charge(client.number, client.debt, bytes, {})) environment_.call_soon();
}

void ClientSender::send_missed(Client& client, const wire::Request& request,
                               std::vector<wire::WatchEvent> events) {
  if (events.empty()) return;
  std::size_t bytes = 0;
  for (const wire::WatchEvent& event : events) bytes += event_bytes(event);
  if (events.size() > 1) bytes *= 2;  // the memory of a queue that grows step by step
  const auto* watch = std::get_if<wire::WatchRequest>(&request);
  if (watch != nullptr && !client.connection->has_room(bytes)) {
    ledger_.count(Budget::waiting, Measure::resync);
    events = {session::resync_event(events.front().watch, watch->path, replica_.applied())};
  }
  counters_.watch_events += events.size();
  for (wire::WatchEvent& event : events) client.connection->send(std::move(event));
}

void ClientSender::send_with_turn(Client& client, QueuedReply&& reply) {
  const wire::RequestId id = reply.reply.id;
  // Another connection may have the session now: then this one is told nothing.
  const bool has_session = client.state != Client::State::ended;
  const znode::Caller caller{has_session ? client.session : wire::SessionId{}, client.identities};
  const auto events = replica_.service().tell_turn(caller, id, reply.reply.body, *reply.turn);
  send(client, std::move(reply));
  for (const wire::WatchEvent& event : events) {
    counters_.watch_events += 1;
    client.connection->send(event);
  }
  if (replica_.watches().is_indexing_turns()) environment_.call_soon();
}

void ClientSender::charge_index_waiters(SteadyClock::duration took) {
  const auto& waiters = index_waiters_.numbers();
  if (waiters.empty()) return;
  took /= waiters.size();
  for (const std::uint64_t number : waiters) {
    Client* client = clients_.find(number);
    if (client == nullptr || !slices_.charge(number, client->debt, 0, took)) continue;
    environment_.call_soon();
  }
}

void ClientSender::lag(const std::vector<wire::SessionId>& sessions) {
  for (const wire::SessionId session : sessions) {
    Client* client = clients_.find(session);
    if (client == nullptr) continue;
    client->lags = client->state != Client::State::ended;
    ledger_.count(Budget::waiting, Measure::resync);
    flush(*client);
  }
}

void ClientSender::resume_watches_if_room(Client& client) {
  const std::size_t bytes = replica_.watches().resync_bytes(client.session);
  const bool is_drained = client.connection->queued_bytes() < waiting_mark_ / 2;
  if (is_drained && client.connection->has_room(bytes)) return resume_watches(client);
  if (bytes + client.kept.bytes() <= ledger_.limits(Budget::waiting).connection) return;
  // The replies that are kept wait behind reads, and these wait for the resyncs. Together they are
  // larger than the budget, so the resyncs will never have room.
  end(client);
  client.connection->close_as_too_slow();
}

void ClientSender::resume_watches(Client& client) {
  client.lags = false;
  charge_events(client, replica_.watches().resync_bytes(client.session));
  for (wire::WatchEvent& resync : replica_.watches().resume(client.session)) {
    counters_.watch_events += 1;
    client.connection->send(std::move(resync));
  }
}

}  // namespace server
