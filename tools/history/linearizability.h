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

// Whether some order of the operations on a few znodes explains all their answers, and is one that
// real time allows. No zxid is believed, and none is known here.
namespace history {

// What an operation does to one znode, or sees of it.
struct ZnodeStep {
  // make: as a parent that may be missing; clear: together with what is above it.
  enum class Kind : std::uint8_t { create, set, remove, check, get, exists, make, clear };

  Kind kind{};
  std::size_t znode = 0;
  std::uint32_t data = 0;            // written or read: the number of a text
  std::int64_t version = -1;         // that it must have; below 0: any
  bool creates = false;              // of a set: what is missing
  bool mortal = false;               // of a create: the znode may go at any time, by itself
  std::optional<std::int64_t> told;  // the version, as the answer says
};

// What a refusal says of the znode of the step that was refused.
enum class Refusal : std::uint8_t { absent, present, other_version };

// An operation: all of its steps at once, some time between its beginning and its end, or never if
// it has no end. One that was undone leaves nothing behind, but each of its steps could be done,
// except for the last one if there is a refusal.
struct Call {
  static constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();

  std::int64_t begin = 0, end = never;
  std::vector<ZnodeStep> steps;
  bool undone = false;
  std::optional<Refusal> refusal;
};

// Numbers for texts; 0 is the empty one.
class Texts {
 public:
  std::uint32_t number(std::string_view text);

 private:
  std::unordered_map<std::string, std::uint32_t> numbers_;
};

// Wing and Gong's search with Lowe's memory of configurations seen (PODC'91, "Testing and Verifying
// Concurrent Objects"; CCPE 2017, "Testing for linearizability").
class Search {
 public:
  // None of the znodes is there at first.
  explicit Search(std::size_t znodes) : states_(znodes) {}

  void add(Call call) { calls_.push_back(std::move(call)); }
  [[nodiscard]] std::size_t size() const { return calls_.size(); }

  enum class Verdict : std::uint8_t { linearizable, not_linearizable, inconclusive };
  // After so many steps it gives up.
  Verdict run(std::size_t steps_max);
  // On failure a call, in the order of adding, that no order got behind.
  [[nodiscard]] std::size_t stuck() const { return stuck_; }

 private:
  struct Znode {
    std::int64_t version = -1;  // below 0: not there
    std::uint32_t data = 0;
    bool mortal = false;

    [[nodiscard]] bool is_there() const { return version >= 0; }
    auto operator<=>(const Znode&) const = default;
  };
  // Everything that the znodes may be, one after the other, each as long as there are znodes.
  class States {
   public:
    explicit States(std::size_t width) : width_(width), znodes_(width) {}
    [[nodiscard]] bool empty() const { return znodes_.empty(); }
    // What is left, or becomes, of them if the call is done now.
    [[nodiscard]] States after(const Call& call) const;
    [[nodiscard]] std::uint64_t hash() const;

   private:
    using State = std::vector<Znode>;
    [[nodiscard]] std::vector<State> expanded(const Call& call) const;

    std::size_t width_;
    std::vector<Znode> znodes_;
  };
  // Of the calls that have an end: the beginning or the end of one. Those that are not done yet are
  // linked in the order of time.
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
  void line_up();
  [[nodiscard]] std::optional<std::size_t> candidate(std::size_t at) const;
  [[nodiscard]] std::size_t call_at(std::size_t at) const;
  [[nodiscard]] std::size_t after(std::size_t at) const;
  [[nodiscard]] std::size_t first_end() const;
  bool go_on(std::size_t at);
  void take(std::size_t at);
  void put_back(std::size_t at);

  std::vector<Call> calls_;
  States states_;
  // A place in the search is that of an event, or behind them all that of a call without an end.
  std::vector<Event> events_;         // the first and the last are none
  std::vector<std::size_t> ends_;     // by call: its end's event
  std::vector<std::size_t> endless_;  // calls, by their beginnings
  std::vector<bool> done_;            // of those
  std::size_t remaining_ = 0;         // calls with an end
  std::size_t fewest_ = 0;            // that there were
  std::size_t stuck_ = 0;
  std::uint64_t done_hash_ = 0;
  std::vector<Frame> stack_;
  std::unordered_set<Fingerprint, Hash> seen_;
};

}  // namespace history
