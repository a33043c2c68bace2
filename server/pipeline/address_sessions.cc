#include "server/pipeline/address_sessions.h"

#include <algorithm>
#include <utility>

#include "server/budgets/network.h"

namespace server {
namespace {

// How often addresses that need not be remembered any more are removed.
constexpr std::uint64_t ticks_between_sweeps = 256;

wire::Error too_many(const Client& client, std::string what) {
  return {wire::ErrorCode::too_many_sessions,
          "address " + client.connection->remote_address() + ' ' + std::move(what)};
}

}  // namespace

std::int64_t AddressSessions::recent_cost_of(const Address& address) const {
  const auto passed = static_cast<std::int64_t>(ticks_ - address.since);
  return std::max<std::int64_t>(address.recent_cost - passed * forgiven_per_tick_, 0);
}

AddressSessions::Address& AddressSessions::address_of(const Client& client) {
  return addresses_[network_of(client.connection->remote_address())];
}

wire::Result<void> AddressSessions::reserve(Client& client) {
  if (is_off() || client.reserves_session) return {};
  Address& address = address_of(client);
  if (limits_.open != 0 && address.open >= limits_.open) {
    return too_many(client, "has " + std::to_string(address.open) +
                                " open sessions at this server, and maxClientSessions=" +
                                std::to_string(limits_.open) + ": close or resume sessions");
  }
  if (limits_.per_second != 0) {
    const std::int64_t cost = recent_cost_of(address) + session_cost;
    if (cost > std::int64_t{burst_seconds} * limits_.per_second * session_cost) {
      return too_many(client, "opens new sessions faster than clientSessionsPerSecond=" +
                                  std::to_string(limits_.per_second) +
                                  ": try again later, or resume a session");
    }
    address.recent_cost = cost;
    address.since = ticks_;
  }
  address.open += 1;
  client.reserves_session = true;
  return {};
}

void AddressSessions::left(const Client& client) {
  if (client.reserves_session) address_of(client).open -= 1;
}

void AddressSessions::applied(const session::Applied& applied, Client* owner) {
  using Change = session::Applied::SessionChange;
  if (is_off() || applied.session_change == Change::none) return;
  if (applied.session_change != Change::opened) forget(applied.session);
  const bool ends =
      applied.session_change == Change::closed || applied.session_change == Change::expired;
  if (ends || owner == nullptr) return;
  Address& address = address_of(*owner);
  if (!std::exchange(owner->reserves_session, false)) address.open += 1;
  sessions_[applied.session.value] = &address;
}

void AddressSessions::restored(const session::SessionTable& sessions) {
  std::erase_if(sessions_, [&](const auto& entry) {
    if (sessions.find({entry.first}) != nullptr) return false;
    entry.second->open -= 1;
    return true;
  });
}

void AddressSessions::forget(wire::SessionId session) {
  const auto known = sessions_.find(session.value);
  if (known == sessions_.end()) return;
  known->second->open -= 1;
  sessions_.erase(known);
}

void AddressSessions::tick() {
  ticks_ += 1;
  if (ticks_ % ticks_between_sweeps != 0) return;
  std::erase_if(addresses_, [&](const auto& entry) {
    return entry.second.open == 0 && recent_cost_of(entry.second) == 0;
  });
}

}  // namespace server
