#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "server/budgets/account.h"
#include "server/budgets/budgets.h"

namespace server {

class Ledger;

// The accounts of one address, one for each budget. They last as long as something is charged to
// them, or a connection of the address has them.
class AddressAccounts {
 public:
  AddressAccounts(std::shared_ptr<Ledger> ledger, std::string address);
  ~AddressAccounts();
  AddressAccounts(const AddressAccounts&) = delete;
  AddressAccounts& operator=(const AddressAccounts&) = delete;

  [[nodiscard]] Account& operator[](Budget budget) {
    return accounts_[static_cast<std::size_t>(budget)];
  }
  [[nodiscard]] Ledger& ledger() { return *ledger_; }

 private:
  const std::shared_ptr<Ledger> ledger_;
  const std::string address_;
  std::array<Account, budgets> accounts_;
};

// The account of one budget. It keeps all accounts of its address alive.
[[nodiscard]] inline std::shared_ptr<Account> account_of(
    const std::shared_ptr<AddressAccounts>& accounts, Budget budget) {
  return {accounts, &(*accounts)[budget]};
}

// All accounts of a server: what its clients use, the limits, and what was done at the limits. May
// be used by several threads.
class Ledger : public std::enable_shared_from_this<Ledger> {
 public:
  // `memory_limit` is what this process may use, in bytes; it is only shown.
  [[nodiscard]] static std::shared_ptr<Ledger> make(std::uint64_t memory_limit, BudgetTable limits);

  // The accounts of the connections from `address`, or from its network: see network_of.
  [[nodiscard]] std::shared_ptr<AddressAccounts> of(const std::string& address);

  [[nodiscard]] std::uint64_t memory_limit() const { return memory_limit_; }
  [[nodiscard]] const BudgetLimits& limits(Budget budget) const {
    return limits_[static_cast<std::size_t>(budget)];
  }
  [[nodiscard]] Account& server(Budget budget) { return server_[static_cast<std::size_t>(budget)]; }
  [[nodiscard]] const Account& server(Budget budget) const {
    return server_[static_cast<std::size_t>(budget)];
  }
  // The addresses that have accounts.
  [[nodiscard]] std::size_t addresses() const;

  void count(Budget budget, Measure measure) {
    taken_[static_cast<std::size_t>(budget)][static_cast<std::size_t>(measure)].fetch_add(
        1, std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t counted(Budget budget, Measure measure) const {
    return taken_[static_cast<std::size_t>(budget)][static_cast<std::size_t>(measure)].load(
        std::memory_order_relaxed);
  }

 private:
  friend class AddressAccounts;
  Ledger(std::uint64_t memory_limit, BudgetTable limits);
  void forget(const std::string& address);

  const std::uint64_t memory_limit_;
  const BudgetTable limits_;
  std::array<Account, budgets> server_;
  std::array<std::array<std::atomic<std::uint64_t>, measures>, budgets> taken_{};

  mutable std::mutex mutex_;
  // Sorted, not hashed: clients with an IPv6 network choose addresses whose hashes would collide.
  std::map<std::string, std::weak_ptr<AddressAccounts>> addresses_;
};

}  // namespace server
