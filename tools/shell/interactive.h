#pragma once

#include <functional>
#include <string>

#include "client-lib/client.h"
#include "tools/shell/line.h"
#include "tools/shell/runner.h"

namespace shell {

// Reads commands from a terminal, with a prompt, history and completion, until the input ends or
// the command is `quit`. The prompt shows `label()`, e.g. the server. Returns the exit code.
int run_interactive(Runner& runner, zabkeeper::Client& client,
                    const std::function<std::string()>& label, const Common& common,
                    Streams streams);

}  // namespace shell
