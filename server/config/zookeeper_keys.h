#pragma once

#include <span>
#include <string>
#include <string_view>

namespace server {

// A key of Apache ZooKeeper 3.4 to 3.10 that has no use here. A configuration may contain it, and
// it is ignored, unless it asks for security that this server does not have.
struct ZooKeeperKey {
  std::string_view name;           // a * at the end stands for any text
  std::string_view why;            // it has no use, or why other values are refused
  std::string_view harmless = {};  // the only values that are ignored, with spaces; empty: any
};

[[nodiscard]] std::span<const ZooKeeperKey> zookeeper_keys();
// Null if there is no such key.
[[nodiscard]] const ZooKeeperKey* find_zookeeper_key(std::string_view name);
// Why a configuration with this value is refused, for the end of an error. Empty if it is not.
[[nodiscard]] std::string refusal(const ZooKeeperKey& key, std::string_view value);

// Why a key that asks for TLS is refused.
inline constexpr std::string_view no_tls =
    "this server has no TLS yet, and would serve without; remove it, and use networks that you "
    "trust";

}  // namespace server
