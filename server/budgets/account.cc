#include "server/budgets/account.h"

#include <algorithm>

namespace server {

std::size_t Account::room(std::size_t held, std::size_t wanted) const {
  const std::size_t half = limit_ / 2;
  const std::size_t now = used();
  if (now < half && wanted <= half - now) return wanted;
  if (now >= limit_) return 0;
  const std::size_t share = half / std::max<std::size_t>(holders_.load(relaxed), 1);
  const std::size_t rest_of_half = now < half ? half - now : 0;
  const std::size_t rest_of_share = held < share ? share - held : 0;
  return std::min({wanted, limit_ - now, std::max(rest_of_half, rest_of_share)});
}

void Account::add(std::size_t bytes) {
  for (Account* each = this; each != nullptr; each = each->above_) {
    each->used_.fetch_add(bytes, relaxed);
  }
}

void Account::remove(std::size_t bytes) {
  for (Account* each = this; each != nullptr; each = each->above_) {
    each->used_.fetch_sub(bytes, relaxed);
  }
}

void Account::add_holder() {
  for (Account* each = this; each != nullptr; each = each->above_) {
    each->holders_.fetch_add(1, relaxed);
  }
}

void Account::remove_holder() {
  for (Account* each = this; each != nullptr; each = each->above_) {
    each->holders_.fetch_sub(1, relaxed);
  }
}

std::size_t Holding::room(std::size_t wanted) const {
  std::size_t most = wanted;
  for (const Account* each = account_.get(); each != nullptr; each = each->above()) {
    most = std::min(most, each->room(charged(bytes_), wanted));
  }
  const std::size_t free_of_charge = bytes_ < step ? step - 1 - bytes_ : 0;
  return std::max(most, std::min(wanted, free_of_charge));
}

std::size_t Holding::room_at_server(std::size_t wanted) const {
  if (!account_) return wanted;
  const Account* server = account_.get();
  while (server->above() != nullptr) server = server->above();
  return server->room(charged(bytes_), wanted);
}

void Holding::change(std::size_t before, std::size_t after) {
  if (before == 0) account_->add_holder();
  if (after > before) account_->add(after - before);
  if (after < before) account_->remove(before - after);
  if (after == 0) account_->remove_holder();
}

Charge::Charge(std::shared_ptr<Account> account, std::size_t bytes)
    : account_(std::move(account)), bytes_(bytes) {
  if (account_) account_->add(bytes_);
}

void Charge::give_back() {
  if (account_) account_->remove(bytes_);
  account_ = nullptr;
  bytes_ = 0;
}

}  // namespace server
