#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "client-lib/recipes/acquisition.h"
#include "client-lib/recipes/grant.h"
#include "client-lib/recipes/queue.h"
#include "client-lib/recipes/recipe_actions.h"
#include "wire/records.h"
#include "wire/replies.h"
#include "wire/requests.h"
#include "wire/result.h"
#include "wire/zxid.h"

namespace zabkeeper {

// One condition for each lock must fit into a write.
inline constexpr std::size_t multi_locks_max = wire::conditions_max;

// Several locks that are held together.
struct MultiOptions {
  std::vector<std::string> paths;  // of 2 to `multi_locks_max` locks, all different
  std::string id;                  // as in queue.h
  LockNames names = LockNames::own;
  // All locks are acquired at once, or none: as in QueueOptions.
  bool only_now = false;
  wire::Bytes data = {};              // of the nodes
  std::optional<wire::Acl> acl = {};  // of the nodes, and of missing parents; none: open
};

// What is held: a node below each path.
struct MultiGrant {
  std::vector<Grant> locks;  // in the order of MultiOptions::paths
  // The transaction that created all nodes. Of two grants that have a path in common, the later one
  // has the greater token. This holds also for a Grant of one of the locks.
  wire::Zxid token;

  // The conditions of every write that may happen only while all locks are held.
  [[nodiscard]] std::vector<wire::Condition> guards() const;

  bool operator==(const MultiGrant&) const = default;
};

struct MultiHeld {
  MultiGrant grant;
  bool operator==(const MultiHeld&) const = default;
};
// `Waiting`: it is not the turn of every node. `Lost`: one of the locks was lost, and the others
// are given back. `Ended` as of an Acquisition.
using MultiAction = std::variant<Ask, Pause, Waiting, MultiHeld, Lost, Ended>;
using MultiActions = std::vector<MultiAction>;

// One acquisition of several locks together, from `begin` to `Ended`. A pure value, as Acquisition
// is: it has an Acquisition for each lock.
//
// All nodes are created in one transaction. So of two clients that want some of the same locks, one
// is before the other in every queue, and they never wait for each other. That holds for any number
// of clients, and with Acquisitions of single locks, unless one client waits for a second lock
// while it holds a first one.
//
// Guarantees, with any number of lost connections, server failures and moves of the session:
// - At no zxid have two clients grants that have a path in common: a grant ends when one of its
//   nodes is deleted. When `MultiHeld` is told, all nodes exist at the zxid of the last message.
// - Of grants that have a path in common, the tokens rise.
// - `only_now`: either all locks are held after the first answers, or all nodes are deleted.
// - The nodes are deleted when the acquisition ends, if the session lives and clients may delete
//   them. They are deleted in one transaction if all of them still exist.
//
// Not guaranteed: as of Acquisition. A client that may not read a node is not told that it is
// deleted.
class MultiAcquisition {
 public:
  // Wrong paths, or a wrong id, abort.
  explicit MultiAcquisition(MultiOptions options);

  // Begins. Only once.
  [[nodiscard]] MultiActions begin();
  // Gives back all locks, or stops waiting. Nothing happens after `Ended`.
  [[nodiscard]] MultiActions release();

  // As of Acquisition; `zxid` is that of the reply.
  [[nodiscard]] MultiActions replied(std::uint64_t number,
                                     const wire::Result<wire::ReplyBody>& result, wire::Zxid zxid);
  [[nodiscard]] MultiActions received(std::uint64_t number, const wire::WatchEvent& event);
  [[nodiscard]] MultiActions connection_lost();
  [[nodiscard]] MultiActions session_lost();
  [[nodiscard]] MultiActions deadline_passed();
  [[nodiscard]] MultiActions again();

  // What is held; nothing if nothing is, or if a lock was lost.
  [[nodiscard]] std::optional<MultiGrant> grant() const;
  [[nodiscard]] bool has_ended() const { return phase_ == Phase::ended; }

 private:
  enum class Phase : std::uint8_t {
    idle,
    creating,
    finding,  // the nodes may exist
    queueing,
    holding,
    removing,       // all nodes in one multi
    removing_each,  // some of them may be gone
    ended,
  };
  using Result = wire::Result<wire::ReplyBody>;
  struct Part {
    QueueOptions queue;
    std::string node;                        // empty: none is known
    std::optional<Acquisition> acquisition;  // none: there is no node
    wire::Zxid told_at;                      // of the message that told its turn
  };

  // Each of these begins a phase.
  void create(MultiActions& actions);
  void find(std::size_t part, MultiActions& actions);
  void remove(MultiActions& actions);
  void remove_each(MultiActions& actions);
  void end(MultiActions& actions);
  void end_if_all_have(MultiActions& actions);

  void on_result(const Result& result, MultiActions& actions);
  void on_created(const Result& result, MultiActions& actions);
  void on_found(const Result& result, MultiActions& actions);
  void on_all_found(MultiActions& actions);
  void on_removed(const Result& result, MultiActions& actions);

  // Calls `act` of each acquisition that may act now, and carries out what it returns.
  template <typename Act>
  void for_each_part(wire::Zxid zxid, MultiActions& actions, const Act& act);
  void carry_out(Part& part, const RecipeActions& done, wire::Zxid zxid, MultiActions& actions);
  void on_part_ended(Part& part, const Ended& ended, MultiActions& actions);
  void hold_if_all_do(wire::Zxid zxid, MultiActions& actions);
  // All nodes must go, if they exist.
  void leave(Ended ended, MultiActions& actions);
  void ask(wire::Request request, MultiActions& actions);

  MultiOptions options_;
  std::vector<Part> parts_;
  Phase phase_ = Phase::idle;
  std::uint64_t last_ = 0;         // number of an Ask
  std::uint64_t outstanding_ = 0;  // the own Ask whose reply counts; 0: none
  std::size_t finding_ = 0;        // the part whose node is looked for
  bool has_told_waiting_ = false;
  std::optional<Ended> leaving_;  // how it ends once the nodes are gone
};

}  // namespace zabkeeper
