#include "server/config/command_line.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <vector>

#include "server/config/config_keys.h"

namespace server {
namespace {

std::string help() {
  std::string text =
      "usage: zabkeeper [CONFIG] [--key value | --key=value]...\n"
      "\n"
      "Starts a Zabkeeper server. CONFIG is a file of key=value lines; a zoo.cfg of Apache\n"
      "ZooKeeper will do. Without it, a standalone server with the defaults below.\n"
      "\n"
      "Every key is an option too, and an environment variable: ZABKEEPER_TICK_TIME for tickTime,\n"
      "ZABKEEPER_SERVER_1 for server.1. Options beat the environment, which beats the file.\n"
      "\n";
  const auto row = [&](const std::string& left, const std::string& right) {
    constexpr std::size_t column = 34;
    text += "  " + left;
    text += left.size() + 2 < column ? std::string(column - left.size() - 2, ' ')
                                     : "\n" + std::string(column, ' ');
    text += right + "\n";
  };
  for (const Key& key : config_keys()) {
    row("--" + std::string(key.name) + " " + std::string(key.argument),
        std::string(key.meaning) + " [" +
            std::string(key.fallback.starts_with('(')
                            ? key.fallback.substr(1, key.fallback.size() - 2)
                            : key.fallback) +
            "]");
  }
  row("--help", "this text");
  row("--version", "the version");
  return text;
}

struct Arguments {
  std::optional<std::string> config_file;
  Settings settings;
  bool help = false;
  bool version = false;
  std::vector<std::string> complaints;
};

Arguments read_arguments(int argc, const char* const* argv) {
  Arguments arguments;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--help" || argument == "-h") {
      arguments.help = true;
    } else if (argument == "--version") {
      arguments.version = true;
    } else if (argument.starts_with("--")) {
      const std::size_t equals = argument.find('=');
      const std::string key(argument.substr(2, equals == argument.npos ? equals : equals - 2));
      std::optional<std::string_view> value;
      if (equals != argument.npos) {
        value = argument.substr(equals + 1);
      } else if (i + 1 < argc) {
        value = argv[++i];
      }
      if (key.empty() || !value) {
        arguments.complaints.push_back(std::string(argument) +
                                       " needs a value: " + std::string(argument) + "=...");
      } else {
        arguments.settings[key] = {std::string(trimmed(*value)), "command line"};
      }
    } else if (argument.starts_with("-") || arguments.config_file) {
      arguments.complaints.push_back("command line: " + std::string(argument) +
                                     " is neither the one configuration file nor a --key");
    } else {
      arguments.config_file = argument;
    }
  }
  return arguments;
}

// Variables that are no keys are nobody's fault: Kubernetes sets ZABKEEPER_SERVICE_HOST for a
// service of this name.
Settings read_environment(const char* const* environment) {
  Settings settings;
  for (; environment != nullptr && *environment != nullptr; ++environment) {
    const std::string_view variable = *environment;
    if (!variable.starts_with("ZABKEEPER_")) continue;
    const std::string name(variable.substr(0, variable.find('=')));
    const std::string value(trimmed(variable.substr(std::min(name.size() + 1, variable.size()))));
    for (const Key& key : config_keys()) {
      if (!key.name.ends_with(".N")) {
        if (environment_name(key.name) == name) settings[std::string(key.name)] = {value, name};
        continue;
      }
      const std::string_view family = key.name.substr(0, key.name.size() - 1);
      const std::string prefix = environment_name(family);
      if (!name.starts_with(prefix)) continue;
      const std::string numbered = std::string(family) + name.substr(prefix.size());
      if (find_key(numbered) == &key) settings[numbered] = {value, name};
    }
  }
  return settings;
}

FileSettings read_file(const std::string& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    return {{}, {}, {path + " is a folder, not a configuration file"}};
  }
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file) return {{}, {}, {"cannot read the configuration file " + path}};
  return read_settings(text, path);
}

PrintAndExit refusal(const std::vector<std::string>& complaints) {
  std::string text = complaints.size() == 1 ? "zabkeeper: the configuration has an error:\n"
                                            : "zabkeeper: the configuration has errors:\n";
  for (const std::string& complaint : complaints) text += "  " + complaint + "\n";
  return {text, 2};
}

}  // namespace

std::variant<RunServer, PrintAndExit> parse_command_line(int argc, const char* const* argv,
                                                         const char* const* environment,
                                                         std::string_view version) {
  Arguments arguments = read_arguments(argc, argv);
  if (arguments.help) return PrintAndExit{help(), 0};
  if (arguments.version) return PrintAndExit{"zabkeeper " + std::string(version) + "\n", 0};

  FileSettings file;
  if (arguments.config_file) file = read_file(*arguments.config_file);
  Settings settings = std::move(arguments.settings);
  settings.merge(read_environment(environment));
  settings.merge(file.settings);

  auto outcome = configure(settings);
  std::vector<std::string> complaints = std::move(arguments.complaints);
  std::ranges::move(file.complaints, std::back_inserter(complaints));
  if (auto* error = std::get_if<ConfigError>(&outcome)) {
    std::ranges::move(error->complaints, std::back_inserter(complaints));
  }
  if (!complaints.empty()) return refusal(complaints);

  auto& configured = std::get<Configured>(outcome);
  configured.notes.insert(configured.notes.begin(), file.notes.begin(), file.notes.end());
  return RunServer{std::move(configured)};
}

}  // namespace server
