#pragma once

#include <chrono>
#include <memory>
#include <stop_token>
#include <string>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>

#include "client-lib/completion.h"
#include "client-lib/error.h"
#include "client-lib/recipe_call.h"
#include "client-lib/recipes/grant.h"
#include "client-lib/recipes/queue_take.h"
#include "client-lib/tokens.h"
#include "wire/bytes.h"
#include "wire/replies.h"
#include "wire/requests.h"

namespace zabkeeper {

class TakeRun;

// An item of a queue that this client has taken. Its destructor gives the item back, in the
// background, unless it is done: then another taker gets it. Any thread may use it, but only one at
// a time.
//
// It is lost, and `stop_token` is stopped, as a Hold is: then another taker may get the item.
class QueueItem {
 public:
  // No item.
  QueueItem() = default;
  ~QueueItem() { reset(); }
  QueueItem(QueueItem&& other) noexcept : state_(std::move(other.state_)) {}
  QueueItem& operator=(QueueItem&& other) noexcept;
  QueueItem(const QueueItem&) = delete;
  QueueItem& operator=(const QueueItem&) = delete;

  // Whether the item is held now.
  [[nodiscard]] explicit operator bool() const;

  // The functions below are for an item that was taken, also if it is lost.

  [[nodiscard]] const wire::Bytes& data() const { return taken().data; }
  [[nodiscard]] const std::string& path() const { return taken().path; }
  // Rises with each time that this item is taken.
  [[nodiscard]] wire::Zxid token() const { return taken().claim.token; }
  // The condition of every write that may happen only while the item is held.
  [[nodiscard]] wire::Condition guard() const { return taken().claim.guard(); }
  // As of Hold.
  [[nodiscard]] std::chrono::steady_clock::time_point deadline() const;
  [[nodiscard]] std::stop_token stop_token() const;

  // The work is done: deletes the item, and returns when that has happened. Then it is not held any
  // more. SessionExpired: the item was lost, and another taker may get it. After any other error it
  // is held as before.
  Result<wire::EmptyReply> done();
  // The completion signature is void(Error, wire::EmptyReply). The item must live until then: its
  // destructor would give it back.
  template <typename Token>
  auto async_done(Token&& token) {
    return boost::asio::async_initiate<Token, void(Error, wire::EmptyReply)>(
        [](auto&& handler, const std::shared_ptr<State>& state) {
          done(state, completion_of(std::forward<decltype(handler)>(handler), state.get()));
        },
        token, state_);
  }
  // Gives the item back, and returns when another taker can get it. Then this holds nothing.
  Result<wire::EmptyReply> give_back();
  template <typename Token>
  auto async_give_back(Token&& token) {
    return boost::asio::async_initiate<Token, void(Error, wire::EmptyReply)>(
        [](auto&& handler, std::shared_ptr<State> state) {
          AnyCompletion completion =
              completion_of(std::forward<decltype(handler)>(handler), state.get());
          give_back(state, std::move(completion));
        },
        token, std::exchange(state_, nullptr));
  }

 private:
  friend class TakeRun;
  struct State;

  explicit QueueItem(std::shared_ptr<State> state) : state_(std::move(state)) {}

  [[nodiscard]] const Taken& taken() const;
  void reset();
  static boost::asio::any_io_executor executor_of(const State* state);
  static void done(const std::shared_ptr<State>& state, AnyCompletion completion);
  static void give_back(const std::shared_ptr<State>& state, AnyCompletion completion);
  template <typename Handler>
  static AnyCompletion completion_of(Handler&& handler, const State* state) {
    return empty_completion(std::forward<Handler>(handler), executor_of(state));
  }

  std::shared_ptr<State> state_;  // null: no item
};

}  // namespace zabkeeper
