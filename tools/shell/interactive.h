#pragma once

#include <functional>
#include <string>

#include "client-lib/client.h"
#include "tools/shell/output.h"
#include "tools/shell/runner.h"

namespace shell {

// Where help and errors of the commands' syntax go.
struct Streams {
  Output& out;
  Output& err;
};

// Reads commands from a terminal, with a prompt, history and completion, until the input ends or
// the command is `quit`. The prompt has `label()`, e.g. the server. Returns the exit code.
int run_interactive(Runner& runner, zabkeeper::Client& client,
                    const std::function<std::string()>& label, Streams streams);
// Reads commands from standard input, a line each. Returns the exit code of the first line that
// failed; the lines after it are still carried out. Throws InputFailed if it cannot be read.
int run_script(Runner& runner, Streams streams);

}  // namespace shell
