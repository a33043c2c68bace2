#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <doctest/doctest.h>

#include "server/config/command_line.h"
#include "server/config/config.h"
#include "tests/support/temporary_directory.h"

namespace server::test {

inline std::string content_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  REQUIRE_MESSAGE(file, path.string());
  return {std::istreambuf_iterator<char>(file), {}};
}

// A directory with configuration files.
class Directory {
 public:
  [[nodiscard]] std::string operator/(const std::string& name) const {
    return temporary_.path() + '/' + name;
  }
  // Returns the path of the file.
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(*this / name) << text;
    return *this / name;
  }

 private:
  ::test::TemporaryDirectory temporary_;
};

// Parses a command line and an environment, as main does.
inline std::variant<RunServer, PrintAndExit> start(std::vector<std::string> arguments,
                                                   std::vector<std::string> environment = {}) {
  arguments.insert(arguments.begin(), "zabkeeper");
  std::vector<const char*> argv;
  std::vector<const char*> envp;
  for (const std::string& argument : arguments) argv.push_back(argument.c_str());
  for (const std::string& variable : environment) envp.push_back(variable.c_str());
  envp.push_back(nullptr);
  return parse_command_line(static_cast<int>(argv.size()), argv.data(), envp.data(), "1.2.3");
}

inline Configured configured(std::vector<std::string> arguments,
                             std::vector<std::string> environment = {}) {
  auto outcome = start(std::move(arguments), std::move(environment));
  if (const auto* print = std::get_if<PrintAndExit>(&outcome)) FAIL(print->text);
  return std::get<RunServer>(std::move(outcome)).configured;
}

// The text that is printed about a command line with errors.
inline std::string refused(std::vector<std::string> arguments,
                           std::vector<std::string> environment = {}) {
  auto outcome = start(std::move(arguments), std::move(environment));
  REQUIRE(std::holds_alternative<PrintAndExit>(outcome));
  CHECK(std::get<PrintAndExit>(outcome).exit_code == 2);
  return std::get<PrintAndExit>(outcome).text;
}

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// Whether an item of `list` contains `part`.
inline bool has(const std::vector<std::string>& list, const std::string& part) {
  return std::ranges::any_of(list, [&](const std::string& item) { return contains(item, part); });
}

inline bool has_key(const std::vector<std::string>& list, const std::string& key) {
  return std::ranges::find(list, key) != list.end();
}

}  // namespace server::test
