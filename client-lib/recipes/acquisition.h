#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "client-lib/recipes/queue.h"
#include "client-lib/recipes/recipe_actions.h"
#include "wire/replies.h"
#include "wire/result.h"

namespace zabkeeper {

// One acquisition of a lock, a read or write lock, or a place of a semaphore, from `want` to
// `Ended`. A pure value: it knows no sockets, time or threads, and equal calls return equal
// actions.
//
// The acquisition creates an ephemeral sequential node, and holds when it is the node's turn: see
// "Turns" in docs/protocol.md. No other client is woken by a node that is deleted.
//
// Guarantees, with any number of lost connections, server failures and moves of the session:
// - At no zxid have two clients a grant that exclude each other: a grant ends when its node is
//   deleted. A semaphore has at most as many holders as its limit. A change of the limit between
//   the creation of a node and its grant may count for this grant or not.
// - Grants come in the order in which the nodes were created. Of a semaphore: if its limit does not
//   change. A node keeps the limit under which it was created. So after a greater limit was set,
//   later nodes may come before those that wait with the smaller one.
// - The node is deleted when the acquisition ends, if the session lives and clients may delete it.
//
// Not guaranteed:
// - The client may believe that it holds after its session has expired, until it learns that. So
//   each write has the condition Grant::guard, and other resources compare tokens. The caller calls
//   `deadline_passed` before the session can have expired.
// - If another client deletes the node, `Lost` comes as late as the event: while the connection is
//   lost or the client lags (see "Clients that lag"), another client may hold already.
// - A client that creates plain nodes with chosen numbers breaks the order, and so the tokens.
class Acquisition {
 public:
  explicit Acquisition(QueueOptions options) : options_(std::move(options)) {}
  // With a node of the session that exists already: its name has the mark and the kind of the
  // options. `want` asks for its turn, and `release` deletes it.
  Acquisition(QueueOptions options, std::string node)
      : options_(std::move(options)), grant_{std::move(node), {}, {}} {}

  // Begins. Only once.
  [[nodiscard]] RecipeActions want();
  // Gives back what is held, or stops waiting. Nothing happens after `Ended`.
  [[nodiscard]] RecipeActions release();
  // A write lock that is held becomes a read lock, and no waiting writer comes between:
  // `Downgraded` or `Refused` follow. There is no way back: a reader that waited to become a writer
  // would wait for the other readers, and they might wait for it.
  [[nodiscard]] RecipeActions downgrade();

  // The reply to the `Ask` with this number. ConnectionLoss, OperationTimeout and SessionMoved mean
  // that the request may have been carried out. The next request must be sent after it, over the
  // same connection or a later one.
  [[nodiscard]] RecipeActions replied(std::uint64_t number,
                                      const wire::Result<wire::ReplyBody>& result);
  [[nodiscard]] RecipeActions received(std::uint64_t number, const wire::WatchEvent& event);
  // All watches are gone. Not called by a caller that sets them again itself. Each outstanding
  // request still gets its reply, or ConnectionLoss.
  [[nodiscard]] RecipeActions connection_lost();
  // The session has ended. Outstanding requests get no reply.
  [[nodiscard]] RecipeActions session_lost();
  // The session may have expired. The grant, if any, is lost.
  [[nodiscard]] RecipeActions deadline_passed();
  // After `Pause`.
  [[nodiscard]] RecipeActions again();

  // The present grant; nothing if there is none, or if it was lost.
  [[nodiscard]] std::optional<Grant> grant() const;
  [[nodiscard]] bool has_ended() const { return phase_ == Phase::ended; }

  // --- For a caller with several acquisitions ---

  // The next Ask has a greater number than this.
  void count_from(std::uint64_t last) { last_ = last; }
  // Whether it deletes its node.
  [[nodiscard]] bool is_leaving() const { return leaving_ && phase_ != Phase::ended; }
  // Whether it holds, and the deletion of its node comes before every later message.
  [[nodiscard]] bool is_watched() const {
    return grant() && outstanding_ == 0 && (watch_ != 0 || !is_readable_);
  }

 private:
  enum class Phase : std::uint8_t {
    idle,
    reading_limit,
    creating,
    finding,  // the node may exist
    asking,   // whether it is the node's turn
    waiting,
    holding,
    downgrading,
    checking_downgrade,  // it may have been done
    removing,
    ended,
  };
  using Result = wire::Result<wire::ReplyBody>;

  // Each of these begins a phase.
  void begin(RecipeActions& actions);
  void read_limit(RecipeActions& actions);
  void create(RecipeActions& actions);
  void find(RecipeActions& actions);
  void ask_turn(RecipeActions& actions);
  void wait(std::uint64_t watch, RecipeActions& actions);
  void hold(RecipeActions& actions);
  void move_to_reader(RecipeActions& actions);
  void check_downgrade(RecipeActions& actions);
  void remove(RecipeActions& actions);
  void end(Ended ended, RecipeActions& actions);

  // Each of these handles the reply of a phase.
  void on_limit(const Result& result, RecipeActions& actions);
  void on_created(const Result& result, RecipeActions& actions);
  void on_found(const Result& result, RecipeActions& actions);
  void on_turn(const Result& result, RecipeActions& actions);
  void on_watched(const Result& result, RecipeActions& actions);
  void on_downgraded(const Result& result, RecipeActions& actions);
  void on_downgrade_checked(const Result& result, RecipeActions& actions);
  void on_removed(const Result& result, RecipeActions& actions);
  void on_result(const Result& result, RecipeActions& actions);

  void ask(wire::Request request, RecipeActions& actions,
           std::vector<wire::Condition> conditions = {});
  // While holding: a watch that tells that the node is deleted.
  void watch_node(RecipeActions& actions);
  void on_turn_told(bool turn, std::uint64_t watch, RecipeActions& actions);
  void become_reader(wire::Zxid czxid, RecipeActions& actions);
  // The node must go, if it exists.
  void leave(Ended ended, RecipeActions& actions);
  void lose(std::string reason, RecipeActions& actions);
  // Asks the question of this phase again.
  void repeat(RecipeActions& actions);
  // Asks again if the reply does not say whether the request can be carried out.
  [[nodiscard]] bool is_to_repeat(const Result& result, RecipeActions& actions);
  [[nodiscard]] std::string reader_path() const;

  QueueOptions options_;
  Phase phase_ = Phase::idle;
  std::uint64_t last_ = 0;         // number of an Ask, perhaps of another acquisition
  std::uint64_t asked_ = 0;        // number of its own last Ask
  std::uint64_t outstanding_ = 0;  // the Ask whose reply counts; 0: none
  std::uint64_t watch_ = 0;        // the Ask whose watch is set; 0: none
  std::int32_t limit_ = 1;
  wire::Bytes limit_data_;
  bool is_limit_changing_ = false;  // a server has told an old one
  bool is_readable_ = true;         // a deletion of the node is told
  Grant grant_;
  std::optional<Ended> leaving_;  // how it ends once the node is gone
};

}  // namespace zabkeeper
