#pragma once

#include <CLI/CLI.hpp>

#include "tools/shell/change_commands.h"

// The options of the commands of change_commands.h. Parsing fills in the command.
namespace shell {

void add_options(CLI::App& sub, Export& command);
void add_options(CLI::App& sub, Import& command);
void add_options(CLI::App& sub, Copy& command);
void add_options(CLI::App& sub, Move& command);
void add_options(CLI::App& sub, Mirror& command);
void add_options(CLI::App& sub, AclCommand& command);
void add_options(CLI::App& sub, Quota& command);
void add_options(CLI::App& sub, Multi& command);
void add_options(CLI::App& sub, Edit& command);

}  // namespace shell
