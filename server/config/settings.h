#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace server {

// One value that was set, and where: "conf/zoo.cfg:7", "command line", "ZABKEEPER_TICK_TIME".
struct Setting {
  std::string value;
  std::string source;
};
using Settings = std::map<std::string, Setting, std::less<>>;  // by key

// A setting that may be shown to operators: it is no secret.
struct ShownSetting {
  std::string key;
  std::string value;  // of a secret: "(hidden)"
  std::string source;

  bool operator==(const ShownSetting&) const = default;
};

struct FileSettings {
  Settings settings;
  std::vector<std::string> notes;   // for the operator, a sentence each
  std::vector<std::string> errors;  // likewise
};

// Reads the text of a properties file, such as zoo.cfg. `name` is the name of the file. Does not
// judge the keys and the values.
[[nodiscard]] FileSettings read_settings(std::string_view text, const std::string& name);

}  // namespace server
