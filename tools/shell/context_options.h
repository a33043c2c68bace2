#pragma once

#include "tools/shell/command_line.h"

namespace CLI {
class App;
}

namespace shell {

// The words of `context`. Parsing fills in `use`.
void add_context_options(CLI::App& app, UseContexts& use);

}  // namespace shell
