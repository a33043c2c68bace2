#include "server/config/command_line.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <vector>

#include "server/config/config_keys.h"
#include "server/config/environment.h"
#include "server/config/text.h"
#include "server/config/text_file.h"

namespace server {
namespace {

std::string help() {
  std::string text =
      "usage: zabkeeper [CONFIG] [--key value | --key=value]...\n"
      "\n"
      "Starts a Zabkeeper server. CONFIG is a file of key=value lines; it can be a zoo.cfg of\n"
      "Apache ZooKeeper. Without it, a standalone server starts with the defaults below.\n"
      "\n"
      "Every key is an option too, and an environment variable: ZABKEEPER_TICK_TIME for tickTime,\n"
      "ZABKEEPER_SERVER_1 for server.1. Options override the environment, which overrides the "
      "file.\n"
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
        std::string(key.meaning) + " [" + std::string(key.fallback.text) + "]");
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
  std::vector<std::string> errors;
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
        arguments.errors.push_back(std::string(argument) +
                                   " needs a value: " + std::string(argument) + "=...");
      } else {
        arguments.settings[key] = {std::string(trimmed(*value)), "command line"};
      }
    } else if (argument.starts_with("-")) {
      arguments.errors.push_back("command line: " + std::string(argument) +
                                 " is not an option; options begin with --");
    } else if (arguments.config_file) {
      arguments.errors.push_back("command line: " + std::string(argument) +
                                 " is a second configuration file; there can be only one");
    } else {
      arguments.config_file = argument;
    }
  }
  return arguments;
}

FileSettings read_file(const std::string& path) {
  const TextFile file = read_text_file(path);
  if (file.text) return read_settings(*file.text, path);
  return {{}, {}, {"cannot read the configuration file " + path + ": " + file.why_missing()}};
}

PrintAndExit report(const std::vector<std::string>& errors) {
  std::string text = errors.size() == 1 ? "zabkeeper: the configuration has an error:\n"
                                        : "zabkeeper: the configuration has errors:\n";
  for (const std::string& error : errors) text += "  " + error + "\n";
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
  EnvironmentSettings variables = read_environment(environment);
  settings.merge(variables.settings);
  settings.merge(file.settings);

  auto outcome = configure(settings);
  std::vector<std::string> errors = std::move(arguments.errors);
  std::ranges::move(file.errors, std::back_inserter(errors));
  if (auto* error = std::get_if<ConfigError>(&outcome)) {
    std::ranges::move(error->errors, std::back_inserter(errors));
  }
  if (!errors.empty()) return report(errors);

  auto& configured = std::get<Configured>(outcome);
  configured.notes.insert(configured.notes.begin(), file.notes.begin(), file.notes.end());
  std::ranges::move(variables.notes, std::back_inserter(configured.notes));
  configured.file = arguments.config_file.value_or("");
  return RunServer{std::move(configured)};
}

}  // namespace server
