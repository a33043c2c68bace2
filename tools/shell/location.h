#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace shell {

// A node of this ensemble, or of another.
struct Location {
  std::string servers;  // as --server has them; empty: of this ensemble
  std::string path;

  bool operator==(const Location&) const = default;
};

// "/app", or "ws://host:port/app", or "ws://a:2180,ws://b:2180/app". Nothing if the servers are not
// valid.
[[nodiscard]] std::optional<Location> parse_location(std::string_view text);

}  // namespace shell
