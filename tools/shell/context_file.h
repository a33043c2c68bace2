#pragma once

#include <optional>
#include <string>
#include <vector>

#include <toml++/toml.h>

#include "tools/shell/global_options.h"

namespace shell {

// $XDG_CONFIG_HOME/zabkeeper/config.toml, or the same below ~/.config. Empty if there is no home.
[[nodiscard]] std::string context_file_path();

// The contexts in a file: named sets of options, of which one may be the current one.
//
//   current = "prod"
//   [contexts.prod]
//   servers = "wss://a:2180,wss://b:2180"
//   auth = ["digest:kim:secret"]
//
// All calls throw WrongSetting if the file or an argument is not valid.
class ContextFile {
 public:
  // A missing file has no contexts. A file with `auth` that others may read is refused.
  explicit ContextFile(std::string path);

  [[nodiscard]] std::optional<std::string> current() const;
  [[nodiscard]] std::vector<std::string> names() const;
  [[nodiscard]] SettingTexts settings_of(const std::string& name) const;

  void use(const std::string& name);
  // Replaces the settings that are in `texts`. An empty text removes one.
  void set(const std::string& name, const SettingTexts& texts);
  void remove(const std::string& name);
  // Replaces the file. Only its owner may read it.
  void save() const;

 private:
  [[nodiscard]] const toml::table* find(const std::string& name) const;
  void require(const std::string& name) const;

  std::string path_;
  toml::table table_;
};

// The settings of the context `name` in the user's file. Without a name: of the current context.
[[nodiscard]] SettingTexts context_settings(const std::optional<std::string>& name);

// An identity without its secret, e.g. "digest:kim:***".
[[nodiscard]] std::string without_secret(const std::string& identity);

}  // namespace shell
