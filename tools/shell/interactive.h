#pragma once

#include <functional>
#include <string>

#include "client-lib/client.h"
#include "tools/shell/runner.h"

namespace shell {

// Reads commands until the input ends or one says `quit`; returns the exit code. On a terminal:
// with a prompt, history and completion. From a pipe: line by line, and the first failure is the
// exit code, though later lines are still carried out.
int run_interactive(Runner& runner, zabkeeper::Client& client,
                    const std::function<std::string()>& place);
int run_script(Runner& runner);

}  // namespace shell
