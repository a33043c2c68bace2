#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "server/config/config_builder.h"
#include "server/config/settings.h"

namespace server {

// A key that has a use here. The table of keys is the only source for parsing, for --help and for
// the check of docs/configuration.md.
struct Key {
  struct Default {
    enum class Kind : std::uint8_t {
      literal,    // a value that could be set
      described,  // not a value, but a description of the default
    };
    Kind kind{};
    std::string_view text;
  };

  std::string_view name;      // as in a file; the N of "server.N" stands for any number
  std::string_view argument;  // the kind of value, for --help
  Default fallback;
  std::string_view meaning;
  // Sets the value in the builder. Null for a key that `configure` handles itself.
  void (*apply)(ConfigBuilder& builder, const NamedSetting& named);
  bool is_secret = false;

  [[nodiscard]] constexpr bool is_numbered() const { return name.ends_with(".N"); }
  // "server." of "server.N".
  [[nodiscard]] constexpr std::string_view family() const {
    return name.substr(0, name.size() - 1);
  }
};

[[nodiscard]] std::span<const Key> config_keys();
// Null if no such key has a use here.
[[nodiscard]] const Key* find_key(std::string_view name);
// Those of the settings that have a use here. Of others it is not known whether they are secret.
[[nodiscard]] std::vector<ShownSetting> shown_settings(const Settings& settings);

}  // namespace server
