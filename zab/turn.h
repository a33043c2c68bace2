#pragma once

#include <map>
#include <string>
#include <utility>
#include <variant>

#include "zab/effects.h"
#include "zab/events.h"
#include "zab/state.h"

namespace zab {

// What a handler works with: the state that all roles share, and the effects it adds to.
struct Turn {
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
  void confirm_to_all_links(const Message& message) const {
    for (const auto& [server, attempts] : state.links) confirm(server, message);
  }

  // Moves the commit point forward to `zxid`, which the history holds, and delivers up to it.
  void commit_to(Zxid zxid) const;
};

// What a handler decides about its peer's role.
struct Stay {};
struct GoLooking {
  std::string why;
};
struct GoLeading {
  std::map<ServerId, FollowerInfo> early;  // from those who knew of the victory first
};
struct GoLearning {
  ServerId leader;
};
using Next = std::variant<Stay, GoLooking, GoLeading, GoLearning>;

}  // namespace zab
