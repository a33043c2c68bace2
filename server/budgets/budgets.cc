#include "server/budgets/budgets.h"

#include <algorithm>

#include "server/budgets/account.h"

namespace server {
namespace {

constexpr std::size_t mebibyte = std::size_t{1} << 20;

// The most that each may have, and the part of the memory limit that the server may have at most.
struct Row {
  BudgetLimits most;
  std::size_t part;
  bool is_of_messages = true;
};

// One frame has a limit of its own, so an unfinished message needs none of its connection.
constexpr std::array<Row, budgets> rows{{
    {{unlimited, 64 * mebibyte, 256 * mebibyte}, 16},      // unfinished
    {{32 * mebibyte, 64 * mebibyte, 512 * mebibyte}, 8},   // requests
    {{16 * mebibyte, 128 * mebibyte, 512 * mebibyte}, 8},  // waiting
    // 128 MiB are about a million watches of an address. Each session has a limit of its own.
    {{unlimited, 128 * mebibyte, unlimited}, 16, false},  // watches
}};

}  // namespace

const char* name(Budget budget) {
  static constexpr std::array names{"unfinished", "requests", "waiting", "watches"};
  return names[static_cast<std::size_t>(budget)];
}

const char* name(Measure measure) {
  static constexpr std::array names{"not_read", "overloaded", "closed", "resync", "refused"};
  return names[static_cast<std::size_t>(measure)];
}

BudgetTable budget_table(std::uint64_t memory_limit, std::size_t message_bytes) {
  BudgetTable table;
  for (std::size_t i = 0; i < budgets; ++i) {
    const auto& [most, part, is_of_messages] = rows[i];
    BudgetLimits& limits = table[i];
    limits.server = std::min<std::size_t>(most.server, memory_limit / part);
    limits.address = std::min(most.address, limits.server / 2);
    limits.connection = std::min(most.connection, limits.address / 2);
    if (!is_of_messages) continue;
    // A holder may have half of an account.
    limits.server = std::max(limits.server, 2 * message_bytes);
    limits.address = std::max(limits.address, 2 * message_bytes);
    limits.connection = std::max(limits.connection, message_bytes);
  }
  return table;
}

std::uint64_t message_budgets(std::uint64_t memory_limit, std::size_t message_bytes) {
  const BudgetTable table = budget_table(memory_limit, message_bytes);
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < budgets; ++i) {
    if (rows[i].is_of_messages) bytes += table[i].server;
  }
  return bytes;
}

}  // namespace server
