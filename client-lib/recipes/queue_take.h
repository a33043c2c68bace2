#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "client-lib/recipes/acquisition.h"
#include "client-lib/recipes/grant.h"
#include "client-lib/recipes/recipe_actions.h"
#include "client-lib/recipes/work_queue.h"
#include "wire/bytes.h"
#include "wire/replies.h"
#include "wire/result.h"
#include "wire/zxid.h"

namespace zabkeeper {

// The item is held. `claim` is the node that says so. Its guard is the condition for writes that
// may happen only while the item is held, and its token rises with each claim of the item.
struct Taken {
  std::string path;
  wire::Bytes data;
  Grant claim;
  bool operator==(const Taken&) const = default;
};
// No item is due. Call `time_is` at this time, in milliseconds since 1970, or later. An item that
// is due earlier may still come. A later WakeAt replaces this one.
struct WakeAt {
  std::int64_t time_ms = 0;
  bool operator==(const WakeAt&) const = default;
};
// `done` failed. The item is held as before.
struct DoneRefused {
  wire::Error error;
  bool operator==(const DoneRefused&) const = default;
};
// The last action of a take. The session has no node of it (any more), unless `failed` has the
// error of a refused deletion: then the node stays until the session ends.
struct TakeEnded {
  enum class How : std::uint8_t {
    done,
    given_back,
    cancelled,  // given back before an item was taken
    lost,       // the item is not held any more
    failed,
  };
  How how = How::done;
  std::optional<wire::Error> error = {};  // with `failed`

  bool operator==(const TakeEnded&) const = default;
};

using TakeAction = std::variant<Ask, Pause, Waiting, Taken, WakeAt, DoneRefused, Lost, TakeEnded>;
using TakeActions = std::vector<TakeAction>;

// One take of an item from a queue, from `begin` to `TakeEnded`. A pure value, as Acquisition is.
//
// Takers wait in a line, as for a lock. Only the first one looks for an item, in pages. If there is
// none, it watches the items until one is put or given back. One transaction claims the item and
// leaves the line. So an item wakes one taker, and no list is read whole.
//
// Guarantees, with any number of lost connections, server failures and moves of the session:
// - At no zxid is an item held by two takers: the claim is a child of the item.
// - `done` deletes the item and its claim together, and only while the claim is held. So an item is
//   done once at most.
// - If the taker's session ends, or it gives the item back, the item is handed out again, before
//   those that were put after it. It is never lost.
// - Items of a work_queue are handed out in the order in which they were put, except for those that
//   were held and given back. A delay_queue hands out no item before its due time, by the clock of
//   the taker: `now_ms`. Of the items that were put when the taker looked, it takes the one that is
//   due first.
// - Takers are served in the order in which they came.
//
// Not guaranteed:
// - The taker may believe that it holds the item after its session has expired: see Acquisition.
//   Then another taker may do the same work. Put Grant::guard on the writes of the work, or let
//   `deadline_passed` stop it.
// - A taker that is the first one and whose program stands still keeps the others waiting, as long
//   as its session lives.
// - If another client deletes claims, `done` may be told of an item that the next taker has done.
// - If the session ends before the reply to `done`, `lost` is told, and the item may be done.
//
// To find the first free item, a taker reads the stats of the items before it, which are held.
class QueueTake {
 public:
  // `id`: 32 lower-case hex digits, random, another one for each take. Else this aborts.
  QueueTake(WorkQueue queue, std::string id);

  // Begins. Only once. `now_ms`: the time in milliseconds since 1970; only delay_queue uses it.
  [[nodiscard]] TakeActions begin(std::int64_t now_ms = 0);
  [[nodiscard]] TakeActions time_is(std::int64_t now_ms);
  // The work is done. After `Taken`, else DoneRefused is told.
  [[nodiscard]] TakeActions done();
  // Gives the item back, or stops waiting. Nothing happens after `done`. The caller removes the
  // watch that the last WatchRequest has set, if it waited.
  [[nodiscard]] TakeActions give_back();

  // As of Acquisition. `zxid` is that of the reply.
  [[nodiscard]] TakeActions replied(std::uint64_t number,
                                    const wire::Result<wire::ReplyBody>& result, wire::Zxid zxid);
  [[nodiscard]] TakeActions received(std::uint64_t number, const wire::WatchEvent& event);
  [[nodiscard]] TakeActions connection_lost();
  [[nodiscard]] TakeActions session_lost();
  [[nodiscard]] TakeActions deadline_passed();
  [[nodiscard]] TakeActions again();

  // The claim that is held; nothing if none is, or if it was lost or given back.
  [[nodiscard]] std::optional<Grant> claim() const;
  [[nodiscard]] bool has_ended() const { return phase_ == Phase::ended; }

 private:
  enum class Phase : std::uint8_t {
    in_line,  // not the first one, or leaving the line
    looking,  // for an item
    waiting,  // for one
    claiming,
    checking_claim,  // it may have been done
    reading,         // the data of the item that is claimed
    holding,
    finishing,
    checking_done,  // whether the claim still exists
    checking_item,  // whether the item does
    returning,
    ended,
  };
  using Result = wire::Result<wire::ReplyBody>;
  using How = TakeEnded::How;

  // --- In line: queue_take.cc ---
  void pass(const RecipeActions& of_line, TakeActions& actions);
  void on_line_lost(std::string reason, TakeActions& actions);
  void leave_line(TakeEnded ended, TakeActions& actions);
  void look(TakeActions& actions);
  void list(std::optional<std::string> after, TakeActions& actions);
  void on_listed(const Result& result, wire::Zxid zxid, TakeActions& actions);
  void wait(std::optional<std::int64_t> due_ms, TakeActions& actions);
  void on_watching(const Result& result, TakeActions& actions);
  void claim_item(const std::string& name, TakeActions& actions);
  void on_claimed(const Result& result, TakeActions& actions);
  void check_claim(TakeActions& actions);
  void on_claim_checked(const Result& result, TakeActions& actions);

  // --- With the item: queue_take_claim.cc ---
  void read_item(TakeActions& actions);
  void on_item_read(const Result& result, TakeActions& actions);
  void hold(wire::Bytes data, TakeActions& actions);
  void watch_claim(TakeActions& actions);
  void on_claim_watched(const Result& result, TakeActions& actions);
  void finish(TakeActions& actions);
  void on_finished(const Result& result, TakeActions& actions);
  void check_done(TakeActions& actions);
  void on_done_checked(const Result& result, TakeActions& actions);
  void check_item(TakeActions& actions);
  void on_item_checked(const Result& result, TakeActions& actions);
  void refuse_done(wire::Error error, TakeActions& actions);
  void give_back_as(TakeEnded ended, TakeActions& actions);
  void return_item(TakeActions& actions);
  void on_returned(const Result& result, TakeActions& actions);
  void lose(const std::string& reason, TakeActions& actions);
  void end(TakeEnded ended, TakeActions& actions);

  void on_result(const Result& result, wire::Zxid zxid, TakeActions& actions);
  void ask(Phase phase, wire::Request request, TakeActions& actions,
           std::vector<wire::Condition> conditions = {});
  void repeat(TakeActions& actions);
  [[nodiscard]] bool is_to_repeat(const Result& result, TakeActions& actions);
  [[nodiscard]] std::string claim_path() const;
  [[nodiscard]] std::optional<std::uint64_t> number_in_line(std::uint64_t number) const;

  WorkQueue queue_;
  std::string id_;
  std::optional<Acquisition> line_;  // its place in the line, until it has claimed an item
  // The Asks of `line_`: their numbers here, and there. The last ones are enough.
  std::deque<std::pair<std::uint64_t, std::uint64_t>> line_asks_;
  Phase phase_ = Phase::in_line;
  std::uint64_t last_ = 0;         // number of an Ask
  std::uint64_t outstanding_ = 0;  // the Ask whose reply counts; 0: none
  std::uint64_t watch_ = 0;        // the Ask whose watch counts; 0: none
  std::uint64_t watching_ = 0;     // the same, while it is not answered
  std::int64_t now_ms_ = 0;
  std::optional<std::int64_t> due_ms_;  // of the first item that is free, while it waits
  wire::Zxid looked_at_;                // the state in which the first page was read
  std::optional<std::string> listed_to_;
  bool is_line_lost_ = false;
  std::string item_;  // the path of the item
  Grant claim_;
  std::optional<TakeEnded> leaving_;  // how it ends once no node is left
};

}  // namespace zabkeeper
