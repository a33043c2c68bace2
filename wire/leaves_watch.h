#pragma once

#include <type_traits>
#include <variant>

#include "wire/requests.h"

namespace wire {

// Whether events may follow the reply to the request, under its id.
[[nodiscard]] inline bool leaves_watch(const Request& request) {
  return std::visit(
      [](const auto& each) {
        if constexpr (requires { each.read.watch; }) return each.read.watch;
        if constexpr (requires { each.turn.has_value(); }) return each.turn.has_value();
        return std::is_same_v<std::decay_t<decltype(each)>, WatchRequest>;
      },
      request);
}

}  // namespace wire
