#pragma once

#include <cstddef>
#include <optional>

#include "server/budgets/ledger.h"
#include "server/pipeline/client_index.h"
#include "session/watch_budget.h"

namespace server {

// Charges the watches of each session to the connection that has the session, and so to its
// address and to the server.
class WatchCharges : public session::WatchBudget {
 public:
  // Both live as long as this does.
  WatchCharges(ClientIndex& clients, Ledger& ledger) : clients_(clients), ledger_(ledger) {}

  [[nodiscard]] wire::Result<void> check(wire::SessionId session, std::size_t bytes) override;
  void set(wire::SessionId session, std::size_t bytes) override;
  [[nodiscard]] wire::Result<void> check_indexes(std::size_t bytes) override;
  void count_refused_index() override { ledger_.count(Budget::watches, Measure::refused); }
  void set_indexes(std::size_t bytes) override;

 private:
  ClientIndex& clients_;
  Ledger& ledger_;
  std::optional<Holding> indexes_;  // of turns; none while there are none
};

}  // namespace server
