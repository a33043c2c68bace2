#pragma once

#include "tools/shell/browse_commands.h"

namespace CLI {
class App;
}

// The options of the commands that look through a tree. Parsing fills in the command.
namespace shell {

void add_options(CLI::App& app, Find& find);
void add_options(CLI::App& app, Grep& grep);
void add_options(CLI::App& app, Du& du);
void add_options(CLI::App& app, Diff& diff);
void add_options(CLI::App& app, Top& top);

}  // namespace shell
