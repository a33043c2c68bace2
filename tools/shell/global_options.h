#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "tools/shell/command_line.h"

namespace CLI {
class App;
}

// The options of the program, which are the same for all commands.
namespace shell {

enum class OptionKind : std::uint8_t { text, list, flag };
// Whether the lines of the shell and of scripts may have it too.
enum class OptionPlace : std::uint8_t { program, also_lines };

struct GlobalOption {
  std::string_view name;
  std::string_view argument;  // empty: it has none
  std::string_view environment;
  std::string_view key;  // in the file of contexts; empty: it cannot be there
  std::string_view purpose;
  OptionKind kind = OptionKind::text;
  OptionPlace place = OptionPlace::program;
};

// In the order of `help`. `--help` and `--version` are not among them.
[[nodiscard]] const std::vector<GlobalOption>& global_options();

// The value that one source gives to an option. A source is the command line, the environment or a
// context.
struct SettingText {
  std::string value;
  std::string source;  // for people, e.g. "ZABKEEPER_TIMEOUT"
};

// Parsing fills in `texts`.
void add_global_options(CLI::App& app, OptionPlace place, SettingTexts& texts);

[[nodiscard]] SettingTexts environment_settings();

// The text of a setting is not valid. The message names its source.
class WrongSetting : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Both throw WrongSetting.
void apply_settings(const SettingTexts& texts, CommandLine& line);
[[nodiscard]] std::chrono::milliseconds seconds_of(const SettingText& text);

}  // namespace shell
