#pragma once

#include <chrono>
#include <memory>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>

#include "client-lib/completion.h"
#include "client-lib/core.h"
#include "client-lib/error.h"
#include "client-lib/recipe_call.h"
#include "client-lib/recipes/grant.h"
#include "client-lib/recipes/multi_acquisition.h"
#include "client-lib/tokens.h"
#include "wire/replies.h"
#include "wire/requests.h"

namespace zabkeeper {

class AcquisitionRun;

// Something that a client holds: a lock, several locks together, a read or write lock, a place of a
// semaphore, or the leadership of an election. Its destructor releases it, in the background. It is
// not tied to a thread: any thread may use it, but only one at a time.
//
// It is lost, and `stop_token` is stopped, if the session ends, if its deadline passes, or if
// somebody deletes a node of it. The deadline passes before the servers can end the session, so all
// code that obeys the token in time stops before another client can hold. Code that cannot obey in
// time puts `guard` on its writes, or gives `token` to the resource. For nobody can exclude that a
// process stands still between its look at the clock and its next action.
class Hold {
 public:
  // Holds nothing.
  Hold() = default;
  ~Hold() { reset(); }
  Hold(Hold&& other) noexcept : state_(std::move(other.state_)) {}
  Hold& operator=(Hold&& other) noexcept;
  Hold(const Hold&) = delete;
  Hold& operator=(const Hold&) = delete;

  // Whether it is held now: neither released nor lost, and the deadline has not passed.
  [[nodiscard]] explicit operator bool() const;

  // The functions below, down to `release`, are for a hold that was acquired, also if it is lost.

  // Rises from holder to holder: see Grant::token.
  [[nodiscard]] wire::Zxid token() const { return grants().token; }
  // The condition of every write that may happen only while this is held.
  [[nodiscard]] wire::Condition guard() const { return grant().guard(); }
  // The same for several locks that are held together: one condition for each.
  [[nodiscard]] std::vector<wire::Condition> guards() const { return grants().guards(); }
  // The node of this holder.
  [[nodiscard]] std::string path() const { return grant().path; }
  // Of several locks, that of the first path.
  [[nodiscard]] Grant grant() const { return grants().locks.front(); }
  [[nodiscard]] MultiGrant grants() const;
  // Until then, no other client can hold, unless somebody deletes the node. Moves on with every
  // heartbeat. time_point::max(): no server has promised anything yet.
  [[nodiscard]] std::chrono::steady_clock::time_point deadline() const;
  // Stopped when this is lost, or when the last handle is released. Its callbacks run on the
  // client's strand, so they should be short.
  [[nodiscard]] std::stop_token stop_token() const;

  // Another handle of the same hold, for code that needs the lock and may find it held already. The
  // hold is released with the last handle.
  [[nodiscard]] Hold share() const;

  // Releases, and returns when the node is deleted. Then this holds nothing. An error: the node
  // stays until the session ends.
  Result<wire::EmptyReply> release();
  // The completion signature is void(Error, wire::EmptyReply).
  template <typename Token>
  auto async_release(Token&& token) {
    return boost::asio::async_initiate<Token, void(Error, wire::EmptyReply)>(
        [](auto&& handler, std::shared_ptr<State> state) {
          AnyCompletion completion =
              completion_of(std::forward<decltype(handler)>(handler), state.get());
          release(std::move(state), std::move(completion));
        },
        token, std::exchange(state_, nullptr));
  }

  // A write lock becomes a read lock, and no waiting writer comes between. An error: it is held as
  // before, or lost.
  Result<wire::EmptyReply> downgrade();
  template <typename Token>
  auto async_downgrade(Token&& token) {
    return boost::asio::async_initiate<Token, void(Error, wire::EmptyReply)>(
        [](auto&& handler, std::shared_ptr<State> state) {
          downgrade(state, completion_of(std::forward<decltype(handler)>(handler), state.get()));
        },
        token, state_);
  }

 private:
  friend class AcquisitionRun;
  struct State;

  explicit Hold(std::shared_ptr<State> state) : state_(std::move(state)) {}

  // Gives up this handle.
  void reset();
  static boost::asio::any_io_executor executor_of(const State* state);
  // Each calls the completion with an EmptyReply or an error. Null: nothing is held.
  static void release(std::shared_ptr<State> state, AnyCompletion completion);
  static void downgrade(const std::shared_ptr<State>& state, AnyCompletion completion);
  template <typename Handler>
  static AnyCompletion completion_of(Handler&& handler, const State* state) {
    return empty_completion(std::forward<Handler>(handler), executor_of(state));
  }

  std::shared_ptr<State> state_;  // null: holds nothing
};

}  // namespace zabkeeper
