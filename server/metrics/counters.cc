#include "server/metrics/counters.h"

namespace server {

const char* operation_name(std::size_t index) {
  static constexpr std::array<const char*, operations> names{
      "create",     "get",    "exists", "set",   "delete", "children", "count",
      "ephemerals", "getAcl", "setAcl", "multi", "sync",   "watch",    "unwatch",
      "auth",       "whoami", "ping",   "close", "connect"};
  return names[index];
}

}  // namespace server
