#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <variant>

#include "zab/effects.h"
#include "zab/events.h"
#include "zab/state.h"

namespace zab {

// The context of a handler: the state that all roles share, and the effects that it adds to.
struct StepContext {
  State& state;
  Effects& effects;

  // Sends a message that promises nothing durable: it leaves at once.
  void send(ServerId to, Message message) const {
    effects.send.push_back({to, std::move(message)});
  }
  // Sends a message that leaves only after everything persisted before it is durable.
  void confirm(ServerId to, Message message) const {
    effects.confirm.push_back({to, std::move(message)});
  }
  // Applies `what` to the durable state, and has it written.
  void persist(Persist what) const {
    store(what, state.durable);
    effects.persist.push_back(std::move(what));
  }
  void confirm_to_all_links(const Message& message) const {
    for (const auto& [server, attempts] : state.links) confirm(server, message);
  }

  // Moves the commit point forward to `zxid`, which the history holds, and delivers up to it.
  void commit_to(Zxid zxid) const;
  // Makes the adopted snapshot at `at` the state: everything up to `at` is committed and delivered.
  void adopt_snapshot(Point at) const;
  // Records that a quorum has adopted this server's cluster id.
  void mark_founded() const;
};

// The notification of this server: its role, its vote and its credentials.
[[nodiscard]] Notification make_notification(Role role, const Vote& vote, const State& state);
// The first message to a leader; a new leader handles its own too.
[[nodiscard]] FollowerInfo make_follower_info(std::uint64_t attempt, const State& state);

// A handler's decision about the role of its peer.
struct Stay {};
struct GoLooking {
  std::string why;
  Note::Kind kind = Note::Kind::role_given_up;
};
// Why an election counts: which voters chose the leader. Until the epoch is established, the
// promises of the same kind of voters count.
enum class ElectionBasis : std::uint8_t {
  quorum,     // a quorum of sound voters
  founding,   // a quorum of voters that know of no cluster yet: they found a new one
  unanimous,  // every voter, sound or not: no other voter can know more
};
struct GoLeading {
  std::map<ServerId, FollowerInfo>
      early;  // from learners that knew of the election before its winner
  ElectionBasis basis = ElectionBasis::quorum;
};
struct GoLearning {
  ServerId leader;
};
using Next = std::variant<Stay, GoLooking, GoLeading, GoLearning>;

}  // namespace zab
