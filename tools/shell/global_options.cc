#include "tools/shell/global_options.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <optional>
#include <sstream>

#include <CLI/CLI.hpp>

namespace shell {
namespace {

[[noreturn]] void refuse(const SettingText& text, const std::string& rule) {
  throw WrongSetting(text.source + ": " + rule + ", but is '" + text.value + "'");
}

template <typename Number>
std::optional<Number> number_of(const std::string& text) {
  Number number{};
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stop != end) return std::nullopt;
  return number;
}

Format format_of(const SettingText& text) {
  const auto found = std::ranges::find(format_names, text.value);
  if (found == format_names.end()) refuse(text, "must be table, json, jsonl or raw");
  return static_cast<Format>(found - format_names.begin());
}

bool flag_of(const SettingText& text) {
  for (const char* yes : {"1", "true", "yes", "on"}) {
    if (text.value == yes) return true;
  }
  for (const char* no : {"0", "false", "no", "off"}) {
    if (text.value == no) return false;
  }
  refuse(text, "must be 1 or 0");
}

// The text is a secret, so no error repeats it.
wire::AuthRequest auth_of(const SettingText& text) {
  const std::size_t colon = text.value.find(':');
  if (colon == 0 || colon == std::string::npos) {
    throw WrongSetting(text.source + ": must be SCHEME:TOKEN");
  }
  return {text.value.substr(0, colon), text.value.substr(colon + 1)};
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    if (!line.empty()) lines.push_back(line);
  }
  return lines;
}

}  // namespace

const std::vector<GlobalOption>& global_options() {
  static const std::vector<GlobalOption> options{
      {"--server", "LIST", "ZABKEEPER_SERVERS", "servers",
       "ws://host:port, several with commas; default ws://127.0.0.1:2180"},
      {"--context", "NAME", "ZABKEEPER_CONTEXT", "", "options from `zab context set NAME`"},
      {"--auth", "S:TOKEN", "ZABKEEPER_AUTH", "auth",
       "an identity, e.g. digest:user:password; may be repeated, in the variable one a line",
       OptionKind::list},
      {"--timeout", "SECONDS", "ZABKEEPER_TIMEOUT", "timeout",
       "how long the command may take; lock, elect: until CMD begins", OptionKind::text,
       OptionPlace::also_lines},
      {"--timeout-ms", "N", "ZABKEEPER_TIMEOUT_MS", "timeout-ms",
       "the session's timeout, and how long to wait for a reply; default 10000"},
      {"--output", "FORMAT", "ZABKEEPER_OUTPUT", "output",
       "table (for people, the default), json, jsonl (each row is an object) or raw",
       OptionKind::text, OptionPlace::also_lines},
      {"--json", "", "", "", "the same as --output json", OptionKind::flag,
       OptionPlace::also_lines},
      {"--quiet", "", "ZABKEEPER_QUIET", "", "no remarks and no progress on standard error",
       OptionKind::flag, OptionPlace::also_lines},
  };
  return options;
}

void add_global_options(CLI::App& app, OptionPlace place, SettingTexts& texts) {
  for (const GlobalOption& option : global_options()) {
    if (place == OptionPlace::also_lines && option.place != place) continue;
    const std::string name(option.name);
    if (name == "--json") {
      app.add_flag_callback(name, [&texts] { texts["--output"] = {{"json", "--json"}}; });
    } else if (option.kind == OptionKind::flag) {
      app.add_flag_callback(name, [&texts, &option] {
        texts[option.name] = {{"1", std::string(option.name)}};
      });
    } else if (option.kind == OptionKind::list) {
      app.add_option_function<std::vector<std::string>>(
             name,
             [&texts, &option](const std::vector<std::string>& values) {
               for (const std::string& value : values) {
                 texts[option.name].push_back({value, std::string(option.name)});
               }
             })
          ->expected(1)
          ->take_all();
    } else {
      app.add_option_function<std::string>(name, [&texts, &option](const std::string& value) {
        texts[option.name] = {{value, std::string(option.name)}};
      });
    }
  }
}

SettingTexts environment_settings() {
  SettingTexts texts;
  for (const GlobalOption& option : global_options()) {
    if (option.environment.empty()) continue;
    const std::string name(option.environment);
    const char* value = std::getenv(name.c_str());
    if (value == nullptr || *value == '\0') continue;
    const bool is_list = option.kind == OptionKind::list;
    for (const std::string& each : is_list ? lines_of(value) : std::vector<std::string>{value}) {
      texts[option.name].push_back({each, name});
    }
  }
  return texts;
}

std::chrono::milliseconds seconds_of(const SettingText& text) {
  // A longer time would overflow a clock of nanoseconds.
  constexpr double seconds_max = 365.0 * 24 * 3600;
  const auto seconds = number_of<double>(text.value);
  if (!seconds || !(*seconds > 0)) refuse(text, "must be a number of seconds above 0");
  const std::chrono::duration<double> time(std::min(*seconds, seconds_max));
  return std::chrono::ceil<std::chrono::milliseconds>(time);
}

void apply_settings(const SettingTexts& texts, CommandLine& line) {
  for (const auto& [name, values] : texts) {
    const SettingText& text = values.front();
    if (name == "--server") line.servers = text.value;
    if (name == "--timeout") line.common.timeout = seconds_of(text);
    if (name == "--output") line.common.format = format_of(text);
    if (name == "--quiet") line.common.quiet = flag_of(text);
    if (name == "--timeout-ms") {
      const auto number = number_of<std::int64_t>(text.value);
      if (!number || *number <= 0) refuse(text, "must be a number of milliseconds above 0");
      line.timeout_ms = *number;
    }
    if (name == "--auth") {
      line.auth.clear();
      for (const SettingText& each : values) line.auth.push_back(auth_of(each));
    }
  }
}

}  // namespace shell
