#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace shell {

// The words that a command may have, as its parser knows them.
struct Grammar {
  struct Option {
    std::vector<std::string> names;  // "-0", "--null"
    bool has_value = false;
  };

  std::string command;  // empty: of the program
  std::vector<Option> options;
  std::vector<std::string> positionals;  // "PATH"
  std::vector<Grammar> subcommands;
};

[[nodiscard]] Grammar grammar_of(const CLI::App& app);
// The grammar of the program's arguments.
[[nodiscard]] Grammar program_grammar();
// The grammar of a line of the interactive shell.
[[nodiscard]] Grammar line_grammar();

// Null if there is no such command.
[[nodiscard]] const Grammar* find_command(const Grammar& grammar, const std::string& name);
[[nodiscard]] std::vector<std::string> names_of_commands(const Grammar& grammar);
[[nodiscard]] std::vector<std::string> names_of_options(const Grammar& grammar);
// Whether the word after `option` is its value.
[[nodiscard]] bool takes_value(const Grammar& grammar, const std::string& option);

}  // namespace shell
