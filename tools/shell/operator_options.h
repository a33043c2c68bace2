#pragma once

#include "tools/shell/command_line.h"

namespace CLI {
class App;
}

// The options of the commands that look after servers.
namespace shell {

void add_options(CLI::App& sub, Status& status);
void add_options(CLI::App& sub, Sessions& sessions);
void add_options(CLI::App& sub, Watches& watches);
void add_options(CLI::App& sub, Checkpoint& checkpoint);
void add_options(CLI::App& sub, Locks& locks);
void add_options(CLI::App& sub, Debug& debug);

}  // namespace shell
