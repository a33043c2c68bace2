#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "client-lib/recipes/recipe_actions.h"
#include "wire/error.h"
#include "wire/records.h"
#include "wire/replies.h"
#include "wire/requests.h"
#include "wire/result.h"
#include "wire/zxid.h"

namespace zabkeeper {

// So many checks must fit into a multi.
inline constexpr std::size_t participants_max = 900;

struct DoubleBarrierOptions {
  std::string path;                   // of the barrier; the nodes below it are those of this recipe
  std::string id;                     // of the participant: as in queue.h
  std::size_t participants = 1;       // of a generation: from 1 to `participants_max`
  std::optional<wire::Acl> acl = {};  // of all nodes; none: open
};

// All participants of this generation have entered.
struct Entered {
  bool operator==(const Entered&) const = default;
};
// All participants of this generation have left. The participant may `begin` again.
struct Left {
  wire::Zxid generation;  // the transaction that let them enter; it rises
  bool operator==(const Left&) const = default;
};
// `Waiting`: for other participants, before `Entered`; told again after a lost connection. `Ended`:
// the last action. Its `lost` means: the session has ended after `Entered`.
using DoubleBarrierAction = std::variant<Ask, Pause, Waiting, Entered, Left, Ended>;
using DoubleBarrierActions = std::vector<DoubleBarrierAction>;

// One participant of a double barrier: N participants enter together and leave together, again and
// again. A pure value, as Acquisition is.
//
// The nodes below the path:
// - `<id>-entry-<number>`: of each participant, from `begin` until it leaves; ephemeral
// - `gate-<number>`: the entries with greater numbers wait until it is gone
// - `exit-<number>`: the participants wait until no entry with a smaller number is left
//
// A generation is opened by one multi. It checks that the first N entries behind the gate exist. It
// replaces the gate by one that has the number of the last of these entries, and the exit by one
// with the next number. So it is the turn of these entries among the gates, in this transaction,
// and not the turn of later ones. It is the turn of the exit among the entries when all N are gone.
//
// Guarantees, with any number of lost connections, server failures and moves of the session:
// - `Entered` is not told before N participants have begun whose sessions lived in the transaction
//   that opened the generation. A participant whose session ends before that does not count.
// - Each generation has N participants: the first N that have begun and still count. Others are in
//   the next one.
// - `Left` is not told before all participants of the generation have left, or their sessions have
//   ended. So nobody waits for a participant that has died inside.
// - The next generation opens after all have left this one.
// - If N participants have begun, and go on, they enter.
//
// Not guaranteed:
// - A participant does not learn who has died inside.
// - A client that creates or deletes gates or exits breaks the barrier. A client that deletes an
//   entry makes its participant leave.
// - Not more than 2^31 nodes can ever be created below a path.
//
// The requests of one generation: N creates, N watches and N deletes, one or two lists, and the
// multi. Each participant gets one event when the generation opens, and one when all have left.
class Participant {
 public:
  // A wrong id, or a wrong number of participants, aborts.
  explicit Participant(DoubleBarrierOptions options);

  // Enters: `Entered` follows. At first, and again after `Left`.
  [[nodiscard]] DoubleBarrierActions begin();
  // After `Entered`: `Left` follows.
  [[nodiscard]] DoubleBarrierActions leave();
  // Stops waiting, or leaves without waiting for the others: `Ended` follows. If the generation
  // opens meanwhile, the participant counts, and has left.
  [[nodiscard]] DoubleBarrierActions stop();

  // As of Acquisition; `zxid` is that of the reply.
  [[nodiscard]] DoubleBarrierActions replied(std::uint64_t number,
                                             const wire::Result<wire::ReplyBody>& result,
                                             wire::Zxid zxid);
  [[nodiscard]] DoubleBarrierActions received(std::uint64_t number, const wire::WatchEvent& event);
  [[nodiscard]] DoubleBarrierActions connection_lost();
  // Before `begin`, and after `Left`, it has no effect.
  [[nodiscard]] DoubleBarrierActions session_lost();
  [[nodiscard]] DoubleBarrierActions again();

  [[nodiscard]] bool has_ended() const { return phase_ == Phase::ended; }
  // The path of its last entry; empty before the first one is known.
  [[nodiscard]] const std::string& entry() const { return entry_; }

 private:
  // Of the entry.
  enum class Phase : std::uint8_t {
    idle,
    creating,
    setting_up,  // the path, the first gate and the first exit
    finding,     // the entry may exist
    asking,      // whether it is the entry's turn
    waiting,
    confirming,  // a reply has told the turn
    inside,
    removing,
    leaving,  // the entry is gone; the others' are not
    ended,
  };
  // Of the exit: of the generation before this one, and from `inside` on of this one.
  enum class Step : std::uint8_t {
    none,
    seeking,  // its name
    asking,   // whether it is its turn
    waiting,
    listing,  // the entries behind the gate
    opening,
  };
  struct Exit {
    std::uint32_t number = 0;
    bool is_known = false;  // it exists; else it is guessed
    bool is_left = false;   // its turn has come
    wire::Zxid czxid = {};
  };
  using Actions = DoubleBarrierActions;
  using Result = wire::Result<wire::ReplyBody>;

  // Each of these begins a phase.
  void create(Actions& actions);
  void set_up(Actions& actions);
  void find(Actions& actions);
  void ask_turn(Actions& actions);
  void wait(std::uint64_t watch, Actions& actions);
  void enter(Actions& actions);
  void guess_exit(Actions& actions);
  void remove(Actions& actions);
  void finish(Actions& actions);
  void end(Actions& actions);
  void end_without_entry(wire::Error error, Actions& actions);

  void on_result(const Result& result, Actions& actions);
  void on_created(const Result& result, Actions& actions);
  void on_set_up(const Result& result, Actions& actions);
  void on_found(const Result& result, Actions& actions);
  void on_turn(const Result& result, Actions& actions);
  void on_removed(const Result& result, Actions& actions);
  void repeat(Actions& actions);
  [[nodiscard]] bool is_to_repeat(const Result& result, Actions& actions);
  // The entry must go, if it exists.
  void leave_for_good(Ended ended, Actions& actions);
  void fail(wire::Error error, Actions& actions);
  void ask(wire::Request request, Actions& actions);

  // Each of these begins a step.
  void seek_exit(Actions& actions);
  void ask_exit(Actions& actions);
  void list_entries(Actions& actions);
  void open(const std::vector<std::string>& entries, Actions& actions);

  void on_exit_result(const Result& result, Actions& actions);
  void on_exit_found(const Result& result, Actions& actions);
  void on_exit_turn(const Result& result, Actions& actions);
  void on_exit_gone(Actions& actions);
  void on_exit_left(Actions& actions);
  void on_listed(const Result& result, Actions& actions);
  void on_opened(const Result& result, Actions& actions);
  void repeat_step(Actions& actions);
  [[nodiscard]] bool is_step_to_repeat(const Result& result, Actions& actions);
  void end_step();
  void ask_for_step(Step step, wire::Request request, Actions& actions);

  static constexpr std::string_view entry_kind = "entry-";
  static constexpr std::string_view gate_kind = "gate-";
  [[nodiscard]] static std::uint32_t number_of(std::string_view name);
  [[nodiscard]] bool is_waiting() const {
    return phase_ == Phase::waiting || phase_ == Phase::asking;
  }
  [[nodiscard]] std::string gate_path(std::uint32_t number) const;
  [[nodiscard]] std::string exit_path(std::uint32_t number) const;
  [[nodiscard]] wire::CreateRequest plain(std::string path) const;

  DoubleBarrierOptions options_;
  std::string mark_;
  Phase phase_ = Phase::idle;
  std::uint64_t last_ = 0;         // number of an Ask
  std::uint64_t asked_ = 0;        // the last Ask of a phase
  std::uint64_t outstanding_ = 0;  // the Ask of the phase whose reply counts; 0: none
  std::uint64_t watch_ = 0;        // the Ask whose watch of the entry is set; 0: none
  std::string entry_;              // its path
  std::uint32_t number_ = 0;       // its number
  bool is_to_leave_ = false;       // as soon as the exit is known
  std::optional<Ended> leaving_;   // how it ends once the entry is gone

  Step step_ = Step::none;
  std::uint64_t step_asked_ = 0;
  std::uint64_t step_outstanding_ = 0;
  std::uint64_t exit_watch_ = 0;
  std::optional<Exit> exit_;
};

}  // namespace zabkeeper
