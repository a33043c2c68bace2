#pragma once

#include <span>
#include <string>
#include <string_view>

#include "server/config/config_builder.h"

namespace server {

// A key that does something here: the one place from which parsing, --help and the check of
// docs/configuration.md come.
struct Key {
  std::string_view name;      // as in a file; the N of "server.N" stands for any number
  std::string_view argument;  // what its value is, for --help
  std::string_view fallback;  // the default; in brackets where it is not a value one could write
  std::string_view meaning;
  void (*take)(ConfigBuilder& builder, const Named& named);
};

[[nodiscard]] std::span<const Key> config_keys();
// Null if nothing here uses such a key.
[[nodiscard]] const Key* find_key(std::string_view name);

// Apache ZooKeeper has such a key, and we have no use for it.
[[nodiscard]] bool is_ignored_key(std::string_view name);

// The known key that is most like `name`; empty if none is like it.
[[nodiscard]] std::string nearest_key(std::string_view name);

// tickTime -> ZABKEEPER_TICK_TIME, server.1 -> ZABKEEPER_SERVER_1
[[nodiscard]] std::string environment_name(std::string_view key);

}  // namespace server
