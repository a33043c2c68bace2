#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>

#include "server/pipeline/client.h"
#include "session/service.h"
#include "wire/result.h"

namespace server {

// The limits of the sessions that one address opens at this server; 0 is no limit.
struct AddressSessionLimits {
  std::uint32_t open = 0;        // `maxClientSessions`
  std::uint32_t per_second = 0;  // `clientSessionsPerSecond`
};

// Counts the open sessions that each address has opened or resumed at this server, and how fast it
// opens new ones. Time is counted in ticks.
class AddressSessions {
 public:
  // A burst may open the sessions of this many seconds at once. Then the rate is the limit.
  static constexpr std::uint32_t burst_seconds = 10;

  AddressSessions(const AddressSessionLimits& limits, std::chrono::milliseconds heartbeat)
      : limits_(limits), forgiven_per_tick_(limits.per_second * heartbeat.count()) {}

  // The client asks for a new session. TooManySessions if its address has no room for one.
  // Otherwise the session counts from now on, unless the client leaves before it is open.
  [[nodiscard]] wire::Result<void> reserve(Client& client);
  void left(const Client& client);
  // A transaction has changed a session. `owner`: the client that asked for it, if it is connected
  // to this server.
  void applied(const session::Applied& applied, Client* owner);
  // The state of this server was replaced.
  void restored(const session::SessionTable& sessions);
  // One heartbeat interval has passed.
  void tick();

  [[nodiscard]] std::size_t addresses() const { return addresses_.size(); }

 private:
  static constexpr std::int64_t session_cost = 1000;  // each ms forgives `per_second` of it

  struct Address {
    std::uint32_t open = 0;        // sessions, including reserved ones
    std::int64_t recent_cost = 0;  // of new sessions; falls as time passes
    std::uint64_t since = 0;       // the tick of `recent_cost`
  };

  [[nodiscard]] bool is_off() const { return limits_.open == 0 && limits_.per_second == 0; }
  [[nodiscard]] std::int64_t recent_cost_of(const Address& address) const;
  [[nodiscard]] Address& address_of(const Client& client);
  void forget(wire::SessionId session);

  AddressSessionLimits limits_;
  std::int64_t forgiven_per_tick_;
  std::uint64_t ticks_ = 0;
  // Sorted, not hashed: clients with an IPv6 network choose addresses whose hashes would collide.
  std::map<std::string, Address> addresses_;
  std::unordered_map<std::uint64_t, Address*> sessions_;  // by wire::SessionId::value
};

}  // namespace server
