#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

// Decides whether some order of the operations on a few znodes agrees with real time and explains
// all replies. Zxids are not used.
namespace history {

// The effect of an operation on one znode, or its read of the znode.
struct ZnodeStep {
  // create_missing: as a parent of a created znode; remove_existing: with an ancestor.
  enum class Kind : std::uint8_t {
    create,
    set,
    remove,
    check,
    get,
    exists,
    create_missing,
    remove_existing
  };

  Kind kind{};
  std::size_t znode = 0;
  std::uint32_t data = 0;     // written or read: its number in Texts
  std::int64_t version = -1;  // that the znode must have; negative: any
  bool creates = false;       // of a set: creates a missing znode
  bool may_vanish = false;    // of a create: the znode may be deleted by itself later
  std::optional<std::int64_t> reply_version;  // the version in the reply
};

// The state of the znode that the refusal of a step proves.
enum class Refusal : std::uint8_t { absent, present, other_version };

// An operation: all of its steps at once, at some time between its begin and its end. Without an
// end it may never happen. An undone call changes nothing; each of its steps was possible, except
// for the last one if there is a refusal.
struct Call {
  static constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();

  std::int64_t begin = 0, end = never;
  std::vector<ZnodeStep> steps;
  bool undone = false;
  std::optional<Refusal> refusal;
};

// Numbers texts from 1; the empty text is 0.
class Texts {
 public:
  std::uint32_t number(std::string_view text);

 private:
  std::unordered_map<std::string, std::uint32_t> numbers_;
};

// Wing and Gong's search with Lowe's set of visited configurations (PODC'91, "Testing and Verifying
// Concurrent Objects"; CCPE 2017, "Testing for linearizability").
class Search {
 public:
  // At first, none of the znodes exists.
  explicit Search(std::size_t znodes) : states_(znodes) {}

  void add(Call call) { calls_.push_back(std::move(call)); }
  [[nodiscard]] std::size_t size() const { return calls_.size(); }

  enum class Verdict : std::uint8_t { linearizable, not_linearizable, inconclusive };
  // Inconclusive after `steps_max` steps.
  Verdict run(std::size_t steps_max);
  // After a failure: the index (in the order of `add`) of a call that no order could include.
  [[nodiscard]] std::size_t stuck() const { return stuck_; }

 private:
  struct Znode {
    std::int64_t version = -1;  // negative: does not exist
    std::uint32_t data = 0;
    bool may_vanish = false;

    [[nodiscard]] bool exists() const { return version >= 0; }
    auto operator<=>(const Znode&) const = default;
  };
  // All states that the znodes may have, each with `width` znodes, one after the other.
  class States {
   public:
    explicit States(std::size_t width) : width_(width), znodes_(width) {}
    [[nodiscard]] bool empty() const { return znodes_.empty(); }
    // The states after the call; empty if none of them allows it.
    [[nodiscard]] States after(const Call& call) const;
    [[nodiscard]] std::uint64_t hash() const;

   private:
    using State = std::vector<Znode>;
    [[nodiscard]] std::vector<State> expanded(const Call& call) const;

    std::size_t width_;
    std::vector<Znode> znodes_;
  };
  // The begin or the end of a call that has an end. The events of the calls that are not done yet
  // are linked in the order of time.
  struct Event {
    std::size_t call = 0;
    bool is_end = false;
    std::size_t previous = 0, next = 0;
  };
  struct Frame {
    std::size_t at;
    States before;
  };
  struct Fingerprint {
    std::uint64_t done, state;
    bool operator==(const Fingerprint&) const = default;
  };
  struct Hash {
    std::size_t operator()(const Fingerprint& f) const { return f.done ^ f.state; }
  };

  static bool holds(const ZnodeStep& step, Refusal refusal, const Znode& znode);
  static bool carry_out(const ZnodeStep& step, Znode& znode);
  void sort_events();
  [[nodiscard]] std::optional<std::size_t> candidate(std::size_t at) const;
  [[nodiscard]] std::size_t call_at(std::size_t at) const;
  [[nodiscard]] std::size_t after(std::size_t at) const;
  [[nodiscard]] std::size_t first_end() const;
  bool try_call(std::size_t at);
  void unlink(std::size_t at);
  void relink(std::size_t at);

  std::vector<Call> calls_;
  States states_;
  // A position in the search is the index of an event, or events_.size() plus the index of a call
  // in endless_.
  std::vector<Event> events_;         // the first and the last are sentinels
  std::vector<std::size_t> ends_;     // by call: the index of its end in events_
  std::vector<std::size_t> endless_;  // the calls without an end, by their begin
  std::vector<bool> done_;            // by index in endless_
  std::size_t remaining_ = 0;         // calls with an end that are not done
  std::size_t fewest_ = 0;            // the least that remaining_ ever was
  std::size_t stuck_ = 0;
  std::uint64_t done_hash_ = 0;
  std::vector<Frame> stack_;
  std::unordered_set<Fingerprint, Hash> visited_;
};

}  // namespace history
