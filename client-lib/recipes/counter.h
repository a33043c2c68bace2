#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "client-lib/recipes/exactly_once.h"
#include "client-lib/recipes/recipe_actions.h"
#include "wire/error.h"
#include "wire/replies.h"
#include "wire/result.h"
#include "wire/zxid.h"

namespace zabkeeper {

struct CounterOptions {
  std::string path;  // of the node whose data are the number; created if it is missing: 0
  // Of the owner: 32 lower-case hex digits, random. All its additions have it, also after the
  // program has started again. No two owners have the same one.
  std::string id;
  // So long after the last addition, the receipt of the owner is deleted.
  std::int64_t receipt_ttl_ms = 3'600'000;
};

// The answer to `begin`, as this server knows it.
struct CounterReady {
  std::uint64_t last = 0;  // the number of the owner's last addition; 0: none is known
  std::int64_t value = 0;
  bool operator==(const CounterReady&) const = default;
};
// The addition is done. The counter had this value directly after it. No other addition has the
// same value, if all amounts are positive.
struct CounterAdded {
  std::uint64_t number = 0;
  std::int64_t value = 0;
  bool operator==(const CounterAdded&) const = default;
};
// The counter had this value at this zxid.
struct CounterRead {
  std::int64_t value = 0;
  wire::Zxid zxid;
  bool operator==(const CounterRead&) const = default;
};
// The call has failed. With `may_be_done`, a copy of the addition may have been carried out, or may
// be carried out later. `add` with the same number settles that. Except with ConnectionLoss: the
// receipt was deleted, and it stays unknown.
struct CounterFailed {
  wire::Error error;
  bool may_be_done = false;
  bool operator==(const CounterFailed&) const = default;
};

using CounterAction =
    std::variant<Ask, Pause, CounterReady, CounterAdded, CounterRead, CounterFailed>;
using CounterActions = std::vector<CounterAction>;

// A number to which many clients add, as one owner of it. A pure value, as Acquisition is. It has
// one call at a time: the next one begins after the answer.
//
// Guarantees, with any number of lost connections and sessions, server failures and moves of the
// session:
// - An addition that was told as done was carried out exactly once. One that failed without
//   `may_be_done` was not carried out, and will not be.
// - An addition that begins again with the same number is carried out once in all: also by another
//   value of this class with the same id, in another session, or after the program has started
//   again, within `receipt_ttl_ms` of the addition before it.
// - Values that are told are those of one order of all additions. A read has all additions that
//   were told as done before it began.
//
// Not guaranteed:
// - A program that has forgotten the number of its last addition cannot begin it again. So it
//   stores the number and the amount before `add`. When it starts, it compares the number with
//   CounterReady::last. If that is smaller, it begins the addition again.
// - `may_be_done` does not know what another value of this class has begun.
// - Clients that set or delete the node, or receipts, by other means.
class CounterOwner {
 public:
  // Aborts if the id has another form.
  explicit CounterOwner(CounterOptions options);

  // Reads the counter and the receipt, and creates them if they are missing. Optional.
  [[nodiscard]] CounterActions begin();
  // `number` is greater than that of the owner's last addition, or the same, to begin it again with
  // the same amount. A sum that has more than 64 bits is refused with BadArguments.
  [[nodiscard]] CounterActions add(std::uint64_t number, std::int64_t amount);
  // The present value, for CounterRead.
  [[nodiscard]] CounterActions read();

  // As of Acquisition.
  [[nodiscard]] CounterActions replied(std::uint64_t number,
                                       const wire::Result<wire::ReplyBody>& result,
                                       wire::Zxid zxid);
  // Nothing happens: a counter sets no watch.
  [[nodiscard]] CounterActions received(std::uint64_t, const wire::WatchEvent&) { return {}; }
  [[nodiscard]] CounterActions connection_lost() { return {}; }
  // Outstanding requests get no reply. The counter continues in the next session.
  [[nodiscard]] CounterActions session_lost();
  [[nodiscard]] CounterActions again();
  // There is no further session: the call fails.
  [[nodiscard]] CounterActions give_up(wire::Error why);

  [[nodiscard]] bool is_idle() const { return call_ == Call::none; }

 private:
  enum class Call : std::uint8_t { none, begin, add, read };
  using Result = wire::Result<wire::ReplyBody>;

  void begin_call(Call call);
  void take(ExactlyOnce::Step step, CounterActions& actions);
  void write(CounterActions& actions);
  void ask_value(CounterActions& actions);
  void on_value(const Result& result, wire::Zxid zxid, CounterActions& actions);
  void fail(wire::Error error, bool may_be_done, CounterActions& actions);

  CounterOptions options_;
  ExactlyOnce once_;
  Call call_ = Call::none;
  std::uint64_t reading_ = 0;  // the Ask of `read`, while it is not answered
  std::uint64_t number_ = 0;   // of the addition
  std::int64_t amount_ = 0;
};

}  // namespace zabkeeper
