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

std::size_t Account::left() const {
  const std::size_t now = used();
  const std::size_t here = now < limit_ ? limit_ - now : 0;
  return above_ == nullptr ? here : std::min(here, above_->left());
}

bool Account::begin_to_end(std::size_t needed) {
  // An eighth of the limit stays free for small holders.
  if (left() < needed + limit_ / 8 || one_ends_.exchange(true)) return false;
  if (above_ == nullptr || above_->begin_to_end(needed)) return true;
  one_ends_ = false;
  return false;
}

void Account::has_ended() {
  for (Account* each = this; each != nullptr; each = each->above_) each->one_ends_ = false;
}

std::size_t Holding::room(std::size_t wanted) const {
  if (reserved_ > bytes_) return std::min(wanted, reserved_ - bytes_);
  std::size_t most = wanted;
  for (const Account* each = account_.get(); each != nullptr; each = each->above()) {
    most = std::min(most, each->room(charged(bytes_), wanted));
  }
  const std::size_t free_of_charge = bytes_ < step ? step - 1 - bytes_ : 0;
  return std::max(most, std::min(wanted, free_of_charge));
}

std::size_t Holding::room_to_end(std::size_t wanted, std::size_t rest) {
  const std::size_t usual = room(wanted);
  // One step more, because only whole steps are charged.
  const std::size_t all = bytes_ + rest + step;
  if (usual > 0 || reserved_ > 0 || !account_ || !account_->begin_to_end(rest + step)) return usual;
  reserved_ = all;
  change(charged(bytes_), charged(all));
  return room(wanted);
}

void Holding::set_reserved(std::size_t bytes) {
  bytes_ = bytes;
  if (bytes == 0) return has_ended();
  if (bytes > reserved_) change(charged(std::exchange(reserved_, bytes)), charged(bytes));
}

void Holding::has_ended() {
  if (reserved_ == 0) return;
  change(charged(std::exchange(reserved_, 0)), charged(bytes_));
  account_->has_ended();
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
