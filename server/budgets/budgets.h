#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

// The table of budgets: which memory of clients is bounded, and by how much.
namespace server {

// What a budget is for.
enum class Budget : std::uint8_t {
  unfinished,  // bytes of messages whose end has not arrived
  requests,    // requests from their arrival until their reply is queued
  waiting,     // replies and events that clients have not received
  watches,     // watches that are set
};
inline constexpr std::size_t budgets = 4;
[[nodiscard]] const char* name(Budget budget);

// An action of the server when a budget has no room.
enum class Measure : std::uint8_t {
  not_read,    // a connection is not read from for a while
  overloaded,  // a request is refused with Overloaded
  closed,      // a connection is closed with 1008
  resync,      // the watches of a session are suspended, and get a resync later
  refused,     // a watch is refused with TooManyWatches
};
inline constexpr std::size_t measures = 5;
[[nodiscard]] const char* name(Measure measure);

// The bytes of one kind that one connection, one address and the server may have.
struct BudgetLimits {
  std::size_t connection = 0;
  std::size_t address = 0;
  std::size_t server = 0;
};
using BudgetTable = std::array<BudgetLimits, budgets>;  // by Budget

// The budgets of a server that may use `memory_limit` bytes. Every budget of messages has room for
// two of `message_bytes`, the largest that is allowed, whatever the memory limit.
[[nodiscard]] BudgetTable budget_table(std::uint64_t memory_limit, std::size_t message_bytes = 0);
// The sum of the server's budgets of messages, if one message may have `message_bytes`.
[[nodiscard]] std::uint64_t message_budgets(std::uint64_t memory_limit, std::size_t message_bytes);

// The share of the replicated state, the tree with the sessions, in `memory_limit`: a half. The
// other half is for clients, links, checkpoints and what the estimate of the state leaves out.
[[nodiscard]] constexpr std::uint64_t state_share(std::uint64_t memory_limit) {
  return memory_limit / 2;
}
// The share of the commands of other servers that a leader holds.
[[nodiscard]] constexpr std::size_t held_share(std::uint64_t memory_limit) {
  return memory_limit / 8;
}
// The share of the transactions that a leader has proposed and not applied.
[[nodiscard]] constexpr std::size_t outstanding_share(std::uint64_t memory_limit) {
  return memory_limit / 16;
}
// The share of the messages that wait for one other server.
[[nodiscard]] constexpr std::size_t link_share(std::uint64_t memory_limit) {
  return memory_limit / 16;
}
// The share of the recent changes that are kept for watches with `from`.
[[nodiscard]] constexpr std::size_t changes_share(std::uint64_t memory_limit) {
  return memory_limit / 16;
}

// The memory that a server may use if nothing else is known.
inline constexpr std::uint64_t usual_memory_limit = std::uint64_t{8} << 30;

}  // namespace server
