#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "tools/shell/command_line.h"

namespace shell {

// The commands that a line may give, with their options. Parsing fills in the Command of the
// subcommand that was given.
class Subcommands {
 public:
  // Adds them to `app`, which outlives this.
  explicit Subcommands(CLI::App& app);

  // Makes parsing fast for this command, and impossible for the others.
  void keep_only(const std::string& name);
  // Forgets the last line of the command that was kept.
  void reset();

  // The command that was given, if any.
  [[nodiscard]] std::optional<Command> given() const;
  // Its name, for help; empty without a command.
  [[nodiscard]] std::string topic() const;

 private:
  template <typename T>
  std::pair<CLI::App*, T*> add(const char* name);
  // Its options are those of an overload of add_options.
  template <typename T>
  void add_described(const char* name);
  void add_reads();
  void add_watch();
  void add_holding();
  void add_following();
  void add_browsing();
  void add_writes();
  void add_changes();
  void add_server_commands();
  void add_operator_commands();
  void add_shell_commands();

  CLI::App& app_;
  std::vector<std::pair<CLI::App*, std::unique_ptr<Command>>> commands_;
  std::string ignored_;
};

}  // namespace shell
