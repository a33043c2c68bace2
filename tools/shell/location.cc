#include "tools/shell/location.h"

#include <algorithm>

#include "client-lib/hosts.h"

namespace shell {

std::optional<Location> parse_location(std::string_view text) {
  const std::size_t scheme = text.rfind("://");
  if (!text.starts_with("ws://")) return Location{{}, std::string(text)};
  const std::size_t slash = std::min(text.find('/', scheme + 3), text.size());
  Location location{std::string(text.substr(0, slash)), std::string(text.substr(slash))};
  if (location.path.empty()) location.path = "/";
  if (zabkeeper::parse_endpoints(location.servers).has_error()) return std::nullopt;
  return location;
}

}  // namespace shell
