#include "server/metrics/counters.h"

namespace server {

void PortCounters::add(const ConnectionCounters& more) {
  too_slow += more.too_slow;
  too_large += more.too_large;
  silent += more.silent;
  in.frames += more.in.frames;
  in.bytes += more.in.bytes;
  out.frames += more.out.frames;
  out.bytes += more.out.bytes;
}

const char* operation_name(std::size_t index) {
  static constexpr std::array<const char*, operations> names{
      "create",     "get",    "exists", "set",   "delete", "children", "count",
      "ephemerals", "getAcl", "setAcl", "multi", "sync",   "watch",    "unwatch",
      "auth",       "whoami", "ping",   "close", "connect"};
  return names[index];
}

}  // namespace server
