#pragma once

#include <atomic>
#include <cstddef>
#include <limits>
#include <memory>
#include <utility>

// Accounts of the memory that clients cause. An account belongs to one address or to the server;
// every byte that is charged to an address is charged to the server too.
namespace server {

// No budget: an account with this limit is never full.
inline constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();

// The bytes that are charged to one address, or to the server, and their limit. May be used by
// several threads.
class Account {
 public:
  // `above` is the account that is charged too. It lives as long as this does.
  explicit Account(std::size_t limit = unlimited, Account* above = nullptr)
      : limit_(limit), above_(above) {}
  Account(const Account&) = delete;
  Account& operator=(const Account&) = delete;

  [[nodiscard]] std::size_t used() const { return used_.load(relaxed); }
  [[nodiscard]] std::size_t limit() const { return limit_; }
  [[nodiscard]] bool is_full() const { return used() >= limit_; }
  // Whether the second half is in use, here or above.
  [[nodiscard]] bool is_scarce() const {
    return used() >= limit_ / 2 || (above_ != nullptr && above_->is_scarce());
  }
  [[nodiscard]] const Account* above() const { return above_; }

  // How many of `wanted` more bytes a holder of `held` bytes may have here. Any holder may use the
  // first half of the limit. The second half is for holders that have less than an equal share of
  // it. So large holders stop first.
  [[nodiscard]] std::size_t room(std::size_t held, std::size_t wanted) const;

  // Whether there is room for all of `wanted`, here and above. See `room`.
  [[nodiscard]] bool has_room(std::size_t held, std::size_t wanted) const {
    return room(held, wanted) == wanted && (above_ == nullptr || above_->has_room(held, wanted));
  }
  // Whether a holder may keep `held` bytes that it has already: while there is room here and above,
  // and beyond that as long as it has no more than its equal share of a half.
  [[nodiscard]] bool accepts(std::size_t held) const {
    return !is_full_anywhere() || is_within_share(held);
  }

  // All that is left here and above.
  [[nodiscard]] std::size_t left() const;
  // Lets one holder at a time exceed its share until `has_ended`. So if all holders need more than
  // their shares, they get it one after another. Returns false if another holder has this right, or
  // if too little is left: others must keep room for small messages.
  [[nodiscard]] bool begin_to_end(std::size_t needed);
  void has_ended();

  // Charge bytes, here and above, and give them back.
  void add(std::size_t bytes);
  void remove(std::size_t bytes);
  // A holder began to be charged here, or is not charged any more.
  void add_holder();
  void remove_holder();

 private:
  static constexpr auto relaxed = std::memory_order_relaxed;

  [[nodiscard]] bool is_full_anywhere() const {
    return is_full() || (above_ != nullptr && above_->is_full_anywhere());
  }
  [[nodiscard]] bool is_within_share(std::size_t held) const {
    const std::size_t holders = holders_.load(relaxed);
    return held <= limit_ / 2 / (holders > 0 ? holders : 1) &&
           (above_ == nullptr || above_->is_within_share(held));
  }

  std::atomic<std::size_t> used_ = 0;
  std::atomic<std::size_t> holders_ = 0;
  std::atomic<bool> one_ends_ = false;
  const std::size_t limit_;
  Account* const above_;
};

// The bytes that one connection holds. They are given back when this is destroyed. Used by one
// thread at a time. The account is charged whole steps only, so small changes need no atomic
// operation. The rest, less than a step, is not counted.
class Holding {
 public:
  static constexpr std::size_t step = 1024;

  // Charged to nobody.
  Holding() = default;
  explicit Holding(std::shared_ptr<Account> account) : account_(std::move(account)) {}
  Holding(Holding&& other) noexcept
      : account_(std::move(other.account_)),
        bytes_(std::exchange(other.bytes_, 0)),
        reserved_(std::exchange(other.reserved_, 0)) {}
  Holding& operator=(Holding&& other) noexcept {
    std::swap(account_, other.account_);
    std::swap(bytes_, other.bytes_);
    std::swap(reserved_, other.reserved_);
    return *this;
  }
  ~Holding() { set(0); }

  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  void set(std::size_t bytes) {
    if (reserved_ > 0) return set_reserved(bytes);
    const std::size_t before = charged(bytes_);
    bytes_ = bytes;
    if (charged(bytes) != before && account_) change(before, charged(bytes));
  }

  // How many of `wanted` more bytes have room in the budgets. Less than a step always has room.
  [[nodiscard]] std::size_t room(std::size_t wanted) const;
  [[nodiscard]] bool fits(std::size_t wanted) const {
    return bytes_ + wanted < step || room(wanted) == wanted;
  }
  // As `room`, for a holder that needs `rest` more bytes before it can give all of them back. If
  // there is no other room, one holder at a time gets what it needs, until `has_ended` or until it
  // has given all back.
  [[nodiscard]] std::size_t room_to_end(std::size_t wanted, std::size_t rest);
  // Gives back the right of `room_to_end`: this holder needs no more.
  void has_ended();
  // The same as `fits`, for the budget of the server alone.
  [[nodiscard]] bool fits_server(std::size_t wanted) const {
    return bytes_ + wanted < step || room_at_server(wanted) == wanted;
  }
  // Whether this may keep `bytes` bytes that it has already. See Account::accepts.
  [[nodiscard]] bool accepts(std::size_t bytes) const {
    return !account_ || account_->accepts(bytes);
  }
  // Whether the address has used up its budget, and this holds a part of it.
  [[nodiscard]] bool is_over() const { return bytes_ >= step && account_ && account_->is_full(); }

 private:
  [[nodiscard]] static std::size_t charged(std::size_t bytes) { return bytes / step * step; }
  [[nodiscard]] std::size_t room_at_server(std::size_t wanted) const;
  void change(std::size_t before, std::size_t after);
  void set_reserved(std::size_t bytes);

  std::shared_ptr<Account> account_;
  std::size_t bytes_ = 0;
  std::size_t reserved_ = 0;  // if not 0, charged instead of `bytes_`
};

// A fixed number of bytes that cross from one thread to another. They are given back when this is
// destroyed, on any thread.
class Charge {
 public:
  Charge() = default;
  Charge(std::shared_ptr<Account> account, std::size_t bytes);
  Charge(Charge&& other) noexcept
      : account_(std::move(other.account_)), bytes_(std::exchange(other.bytes_, 0)) {}
  Charge& operator=(Charge&& other) noexcept {
    std::swap(account_, other.account_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~Charge() { give_back(); }

  void give_back();

 private:
  std::shared_ptr<Account> account_;
  std::size_t bytes_ = 0;
};

}  // namespace server
