#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <string>

#include "client-lib/client.h"
#include "tools/shell/ahead.h"
#include "tools/shell/command_line.h"
#include "tools/shell/input.h"
#include "tools/shell/line.h"
#include "tools/shell/runner.h"

namespace shell {

// Carries out the commands of standard input. Each line is a command.
//
// Lines that have already arrived are read ahead. A command that is one request is sent before its
// turn; its reply waits for its turn. Any other command waits for all commands before it. A write
// waits until the results of all earlier reads are written, because it may delete what these reads
// have saved.
class Script {
 public:
  // `client` is called by the first command that needs a client.
  Script(Runner& runner, std::function<zabkeeper::Client&()> client, Common common,
         Streams streams);

  // Returns the exit code of the first line that failed; the lines after it are still carried out.
  // Throws InputFailed if the input cannot be read.
  int run();

 private:
  struct Pending {
    Command command;
    Common common;
    bool is_write = false;
  };

  [[nodiscard]] std::optional<std::string> next_line();
  void carry_out(CommandLine line);
  void send(CommandLine line, wire::Request request);
  void finish_oldest();
  void finish_all();
  void note(int code);

  Runner& runner_;
  const std::function<zabkeeper::Client&()> client_;
  Streams streams_;
  Input input_;
  LineParser parser_;
  std::optional<Ahead> ahead_;
  std::deque<Pending> pending_;  // the commands of ahead_
  int first_failure_ = exit_ok;
};

}  // namespace shell
