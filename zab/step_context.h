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

// What a handler works with: the state that all roles share, and the effects it adds to.
struct StepContext {
  State& state;
  Effects& effects;

  // Leaves at once.
  void send(ServerId to, Message message) const {
    effects.send.push_back({to, std::move(message)});
  }
  // Leaves once everything that was to be persisted before it is durable.
  void confirm(ServerId to, Message message) const {
    effects.confirm.push_back({to, std::move(message)});
  }
  // Takes `what` over, and has it made durable.
  void persist(Persist what) const {
    store(what, state.durable);
    effects.persist.push_back(std::move(what));
  }
  void confirm_to_all_links(const Message& message) const {
    for (const auto& [server, attempts] : state.links) confirm(server, message);
  }

  // Moves the commit point forward to `zxid`, which the history holds, and delivers up to it.
  void commit_to(Zxid zxid) const;
  // What is before `at` is now in a snapshot that was adopted.
  void restored(Point at) const;
  // A quorum has adopted this server's cluster id.
  void found() const;
};

// What this server says of itself, and of whom it would have lead.
[[nodiscard]] Notification notify(Role role, const Vote& vote, const State& state);
// What it says to its leader, itself included.
[[nodiscard]] FollowerInfo introduce(std::uint64_t attempt, const State& state);

// What a handler decides about its peer's role.
struct Stay {};
struct GoLooking {
  std::string why;
};
// Who chose a leader, and whose promises therefore count until its epoch is established.
enum class ElectionBasis : std::uint8_t {
  quorum,    // of sound voters
  founding,  // of voters that know of no cluster yet: a new one begins
  whole,     // every single voter, whatever its condition: more than that nobody will ever know
};
struct GoLeading {
  std::map<ServerId, FollowerInfo> early;  // from those who knew of the victory first
  ElectionBasis basis = ElectionBasis::quorum;
};
struct GoLearning {
  ServerId leader;
};
using Next = std::variant<Stay, GoLooking, GoLeading, GoLearning>;

}  // namespace zab
