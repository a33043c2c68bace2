#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "client-lib/recipes/recipe_actions.h"
#include "wire/bytes.h"
#include "wire/error.h"
#include "wire/records.h"
#include "wire/replies.h"
#include "wire/requests.h"
#include "wire/result.h"
#include "wire/zxid.h"

namespace zabkeeper {

// The leader of an election, or a candidate that may become it.
struct Candidate {
  std::string path;   // of its node
  wire::Zxid token;   // rises from leader to leader
  wire::Bytes value;  // as it was last proclaimed

  bool operator==(const Candidate&) const = default;
};

// There is another leader, or none, or the leader has another value, from `zxid` on.
struct LeaderChanged {
  std::optional<Candidate> leader;
  wire::Zxid zxid;

  bool operator==(const LeaderChanged&) const = default;
};
// Any number of leaders may be missing here. The next LeaderChanged says who leads then.
struct LeaderGap {
  bool operator==(const LeaderGap&) const = default;
};
// The last action: the leaders cannot be observed.
struct ObserverFailed {
  wire::Error error;
  bool operator==(const ObserverFailed&) const = default;
};

using ObserverAction = std::variant<Ask, Pause, LeaderChanged, LeaderGap, ObserverFailed>;
using ObserverActions = std::vector<ObserverAction>;

// The leaders of one election, one after the other. A pure value, as Acquisition is.
//
// Guarantees, with any number of lost connections, server failures and moves of the session: the
// stream begins with the leader at some zxid after `begin`. From then on it has every leader and
// every value, in the order of the transactions, or one LeaderGap where the server does not know
// the changes since the connection was lost, or had no room for their events.
//
// Not guaranteed:
// - The present leader may be another one: events take time.
// - One transaction may delete several candidates: the end of a session that campaigns twice. A
//   candidate that it deletes may be reported between the others.
// - A client that may not read the nodes of candidates sees no leader.
class Observer {
 public:
  explicit Observer(std::string path) : path_(std::move(path)) {}

  [[nodiscard]] ObserverActions begin();
  // As of Acquisition; `zxid` is that of the reply. The watch is the one that the last WatchRequest
  // has set. A caller that stops observing removes it.
  [[nodiscard]] ObserverActions replied(std::uint64_t number,
                                        const wire::Result<wire::ReplyBody>& result,
                                        wire::Zxid zxid);
  [[nodiscard]] ObserverActions received(std::uint64_t number, const wire::WatchEvent& event);
  [[nodiscard]] ObserverActions connection_lost();
  [[nodiscard]] ObserverActions again();

  // Whether the stream has begun, has no gap now, and the watch is set.
  [[nodiscard]] bool is_following() const { return is_complete_ && watching_ == 0; }

 private:
  // By the place of a candidate in the order of the numbers: the leader is the first.
  struct Order {
    bool operator()(std::uint32_t a, std::uint32_t b) const {
      return static_cast<std::int32_t>(a - b) < 0;
    }
  };
  // Of the candidate with this number: nothing if it is gone.
  struct Change {
    std::uint32_t number = 0;
    wire::Zxid zxid;
    std::optional<Candidate> candidate;
  };
  using Result = wire::Result<wire::ReplyBody>;

  void watch(ObserverActions& actions);
  void list(std::optional<std::string> after, ObserverActions& actions);
  void on_listed(const Result& result, wire::Zxid zxid, ObserverActions& actions);
  void apply(const Change& change);
  void on_complete(wire::Zxid zxid, ObserverActions& actions);
  void on_gap(ObserverActions& actions);
  void tell(wire::Zxid zxid, ObserverActions& actions);
  [[nodiscard]] bool is_to_repeat(const Result& result, ObserverActions& actions);
  void fail(wire::Error error, ObserverActions& actions);
  void ask(wire::Request request, ObserverActions& actions);

  std::string path_;
  std::uint64_t last_ = 0;                // number of an Ask
  std::uint64_t watch_ = 0;               // the Ask of the watch whose events count
  std::uint64_t watching_ = 0;            // the same, while it is not answered
  std::uint64_t listing_ = 0;             // the Ask of the list, while it is not answered
  std::optional<std::string> listed_to_;  // the last name of the pages before
  std::map<std::uint32_t, Candidate, Order> candidates_;
  std::vector<Change> changes_;  // since the list was asked for
  bool is_complete_ = false;     // `candidates_` are all
  wire::Zxid known_;             // all events up to this one have come
  bool has_told_ = false;
  std::optional<Candidate> told_;
  bool has_failed_ = false;
};

}  // namespace zabkeeper
