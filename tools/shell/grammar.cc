#include "tools/shell/grammar.h"

#include <algorithm>

#include <CLI/CLI.hpp>

namespace shell {

Grammar grammar_of(const CLI::App& app) {
  Grammar grammar;
  grammar.command = app.get_name();
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_positional()) {
      grammar.positionals.push_back(option->get_single_name());
      continue;
    }
    Grammar::Option each;
    for (const std::string& name : option->get_snames()) each.names.push_back('-' + name);
    for (const std::string& name : option->get_lnames()) each.names.push_back("--" + name);
    each.has_value = option->get_items_expected_max() > 0;
    grammar.options.push_back(std::move(each));
  }
  for (const CLI::App* sub : app.get_subcommands({})) {
    grammar.subcommands.push_back(grammar_of(*sub));
  }
  return grammar;
}

const Grammar* find_command(const Grammar& grammar, const std::string& name) {
  const auto found = std::ranges::find(grammar.subcommands, name, &Grammar::command);
  return found == grammar.subcommands.end() ? nullptr : &*found;
}

std::vector<std::string> names_of_commands(const Grammar& grammar) {
  std::vector<std::string> names;
  for (const Grammar& each : grammar.subcommands) names.push_back(each.command);
  return names;
}

std::vector<std::string> names_of_options(const Grammar& grammar) {
  std::vector<std::string> names;
  for (const Grammar::Option& each : grammar.options) {
    names.insert(names.end(), each.names.begin(), each.names.end());
  }
  return names;
}

bool takes_value(const Grammar& grammar, const std::string& option) {
  return std::ranges::any_of(grammar.options, [&](const Grammar::Option& each) {
    return each.has_value && std::ranges::find(each.names, option) != each.names.end();
  });
}

}  // namespace shell
