#include "wire/requests.h"

namespace wire {

std::string_view name(WatchScope scope) {
  switch (scope) {
    case WatchScope::node: return "node";
    case WatchScope::children: return "children";
    case WatchScope::subtree: return "subtree";
  }
  return "node";
}

}  // namespace wire
