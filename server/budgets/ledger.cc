#include "server/budgets/ledger.h"

#include <utility>

#include "server/budgets/network.h"

namespace server {
namespace {

constexpr auto unfinished = static_cast<std::size_t>(Budget::unfinished);
constexpr auto requests = static_cast<std::size_t>(Budget::requests);
constexpr auto waiting = static_cast<std::size_t>(Budget::waiting);
constexpr auto watches = static_cast<std::size_t>(Budget::watches);

}  // namespace

AddressAccounts::AddressAccounts(std::shared_ptr<Ledger> ledger, std::string address)
    : ledger_(std::move(ledger)),
      address_(std::move(address)),
      accounts_{Account(ledger_->limits_[unfinished].address, &ledger_->server_[unfinished]),
                Account(ledger_->limits_[requests].address, &ledger_->server_[requests]),
                Account(ledger_->limits_[waiting].address, &ledger_->server_[waiting]),
                Account(ledger_->limits_[watches].address, &ledger_->server_[watches])} {}

AddressAccounts::~AddressAccounts() { ledger_->forget(address_); }

Ledger::Ledger(std::uint64_t memory_limit, BudgetTable limits)
    : memory_limit_(memory_limit),
      limits_(limits),
      server_{Account(limits[unfinished].server), Account(limits[requests].server),
              Account(limits[waiting].server), Account(limits[watches].server)} {}

std::shared_ptr<Ledger> Ledger::make(std::uint64_t memory_limit, BudgetTable limits) {
  return std::shared_ptr<Ledger>(new Ledger(memory_limit, limits));
}

std::shared_ptr<AddressAccounts> Ledger::of(const std::string& address) {
  const std::lock_guard lock(mutex_);
  const std::string network = network_of(address);
  std::weak_ptr<AddressAccounts>& known = addresses_[network];
  std::shared_ptr<AddressAccounts> accounts = known.lock();
  if (!accounts) {
    accounts = std::make_shared<AddressAccounts>(shared_from_this(), network);
    known = accounts;
  }
  return accounts;
}

std::size_t Ledger::addresses() const {
  const std::lock_guard lock(mutex_);
  return addresses_.size();
}

// Another thread may have asked for the address again, and have made it new accounts.
void Ledger::forget(const std::string& address) {
  const std::lock_guard lock(mutex_);
  const auto known = addresses_.find(address);
  if (known != addresses_.end() && known->second.expired()) addresses_.erase(known);
}

}  // namespace server
