#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

#include "server/clients/limits.h"
#include "server/pipeline/client_sender.h"

// The part of ClientSender that holds clients back.
namespace server {

// While the budgets are scarce, a client gets the next reply when it has received the last one.
Client::HeldBack ClientSender::held_back(const Client& client) const {
  using HeldBack = Client::HeldBack;
  if (client.state == Client::State::ended) return HeldBack::no;
  if (client.lags) return HeldBack::until_half;
  const std::size_t queued = client.connection->queued_bytes();
  if (queued >= Holding::step) {
    if (client.held_back == HeldBack::until_all) return HeldBack::until_all;
    if ((*client.accounts)[Budget::waiting].is_scarce()) return HeldBack::until_all;
    const std::size_t mark = client.is_behind() ? waiting_mark_ / 2 + 1 : waiting_mark_;
    if (queued >= mark) return HeldBack::until_half;
  }
  if (client.index && !*client.index && !client.asks_again) return HeldBack::until_indexed;
  return slices_.is_used_up(client.debt) ? HeldBack::until_turn : HeldBack::no;
}

Client* ClientSender::next_turn() {
  const std::optional<std::uint64_t> number = slices_.next();
  Client* client = number ? clients_.find(*number) : nullptr;
  if (client != nullptr) slices_.pay(*number, client->debt);
  if (slices_.is_waiting()) environment_.call_soon();
  return client;
}

// A client with too much outstanding, or too much waiting, is not read from: TCP slows it down.
void ClientSender::apply_backpressure(Client& client) {
  const std::size_t outstanding = client.outstanding();
  const std::size_t bytes = client.requests.bytes();
  const bool has_too_much =
      client.paused ? outstanding > outstanding_max_ / 2 || bytes > request_bytes_max_ / 2
                    : outstanding >= outstanding_max_ || bytes >= request_bytes_max_;
  const bool has_early = client.state == Client::State::open && !client.early_requests.empty();
  const bool stops = has_too_much || has_early || client.is_behind() || client.requests.is_over();
  if (stops == client.paused) return;
  client.paused = stops;
  if (!stops) return client.connection->resume();
  counters_.pauses += 1;
  if (client.is_behind()) ledger_.count(Budget::waiting, Measure::not_read);
  if (outstanding < outstanding_max_ && !client.is_behind()) {
    ledger_.count(Budget::requests, Measure::not_read);
  }
  client.connection->pause();
}

// Events and the replies of writes are not offered: they are queued in any case.
void ClientSender::relieve() {
  const Account& waiting = ledger_.server(Budget::waiting);
  if (waiting.used() < waiting.limit() / 8 * 7) return;
  std::vector<std::pair<std::size_t, Client*>> all;
  for (const auto& [number, client] : clients_.by_number()) {
    all.emplace_back(client->connection->queued_bytes(), client);
  }
  std::ranges::sort(all, std::greater<>{});
  std::size_t left = waiting.used();
  for (const auto& [queued, client] : all) {
    if (left <= waiting.limit() / 4 * 3 || queued < small_queue_bytes) return;
    end(*client);
    client->connection->close_as_too_slow();
    left -= std::min(left, queued);
  }
}

wire::Error ClientSender::overloaded(Budget budget) {
  ledger_.count(budget, Measure::overloaded);
  return {wire::ErrorCode::overloaded,
          std::string("the memory for ") +
              (budget == Budget::requests ? "requests" : "replies that wait") +
              " is used up; nothing was done, so the request can be sent again later"};
}

}  // namespace server
