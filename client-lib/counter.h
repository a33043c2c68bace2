#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "client-lib/async_calls.h"
#include "client-lib/block.h"
#include "client-lib/recipe_call.h"
#include "client-lib/recipes/counter.h"
#include "client-lib/serial_run.h"

namespace zabkeeper {

// Runs a CounterOwner on a client.
class CounterRun final : public SerialRun<CounterRun, CounterOwner> {
 public:
  using SerialRun::SerialRun;

  void begin(const RecipeCall<CounterReady>& call);
  // `number` 0: the next one.
  void add(std::uint64_t number, std::int64_t amount, const RecipeCall<CounterAdded>& call);
  void read(const RecipeCall<CounterRead>& call);

 private:
  friend SerialRun;

  void told(const CounterReady& ready);
  void told(const CounterAdded& added) { adding_.answer({}, added); }
  void told(const CounterRead& read) { reading_.answer({}, read); }
  void told(const CounterFailed& failed);

  std::uint64_t last_ = 0;  // number of an addition
  // The call that has begun.
  RecipeCall<CounterReady> beginning_;
  RecipeCall<CounterAdded> adding_;
  RecipeCall<CounterRead> reading_;
};

struct CounterSettings {
  // The id of the owner of the additions: 32 lower-case hex digits. Empty: a random one. A program
  // that numbers its additions gives the same one after a restart. Two counters must not have the
  // same owner at the same time.
  std::string owner = {};
  // The time after the last addition until the owner's receipt is deleted.
  std::int64_t receipt_ttl_ms = 3'600'000;
};

// A number to which many clients add. client-lib/recipes/counter.h says what is guaranteed under
// which failures: an addition that is reported as done was carried out exactly once, even if
// connections, servers or the session were lost meanwhile.
//
//   zabkeeper::Counter tickets(client, "/tickets");
//   const std::int64_t mine = tickets.add(1).value().value;
//
// Any thread may use it. Its calls are carried out one after the other; if more wait than the
// client's option `begun` allows, the next one gets Overloaded. The client must outlive it and its
// calls. If the client opens a new session after one has expired, the calls go on in it.
//
// Errors of `add`: with ConnectionLoss the addition may be done, or may be done later. A program
// that must know uses `add_numbered`, and begins the addition again with the same number.
class Counter {
 public:
  // Throws std::invalid_argument if the owner is not valid.
  Counter(const AsyncCalls& client, std::string path, CounterSettings settings = {});

  // Adds `amount`, and returns the value directly after the addition. BadArguments if the sum does
  // not fit into 64 bits.
  Result<CounterAdded> add(std::int64_t amount) { return add_numbered(0, amount); }
  // The same for an addition that may be begun again, also by a program that has started again: see
  // `last`. Its number is greater than that of the addition before it.
  Result<CounterAdded> add_numbered(std::uint64_t number, std::int64_t amount) {
    return block_elsewhere<CounterAdded>(
        *core_, [&](auto handler) { async_add_numbered(number, amount, std::move(handler)); });
  }
  // The value, with all additions that were reported as done before.
  Result<CounterRead> get() {
    return block_elsewhere<CounterRead>(*core_,
                                        [&](auto handler) { async_get(std::move(handler)); });
  }
  // The number of the owner's last addition that was carried out.
  Result<CounterReady> last() {
    return block_elsewhere<CounterReady>(*core_,
                                         [&](auto handler) { async_last(std::move(handler)); });
  }

  // The completion signatures are void(Error, CounterAdded), void(Error, CounterRead) and
  // void(Error, CounterReady). A cancelled addition goes on in the background.
  template <typename Token>
  auto async_add(std::int64_t amount, Token&& token) {
    return async_add_numbered(0, amount, std::forward<Token>(token));
  }
  template <typename Token>
  auto async_add_numbered(std::uint64_t number, std::int64_t amount, Token&& token) {
    return initiate<CounterAdded>(
        [number, amount](CounterRun& run, const RecipeCall<CounterAdded>& call) {
          run.add(number, amount, call);
        },
        std::forward<Token>(token));
  }
  template <typename Token>
  auto async_get(Token&& token) {
    return initiate<CounterRead>(
        [](CounterRun& run, const RecipeCall<CounterRead>& call) { run.read(call); },
        std::forward<Token>(token));
  }
  template <typename Token>
  auto async_last(Token&& token) {
    return initiate<CounterReady>(
        [](CounterRun& run, const RecipeCall<CounterReady>& call) { run.begin(call); },
        std::forward<Token>(token));
  }

 private:
  template <typename Reply, typename Begin, typename Token>
  auto initiate(Begin begin, Token&& token) {
    return begin_call<Reply>(
        core_->executor(), [run = run_] { return run; }, std::move(begin), {},
        std::forward<Token>(token));
  }

  std::shared_ptr<Core> core_;
  std::shared_ptr<CounterRun> run_;
};

}  // namespace zabkeeper
