#pragma once

#include <string>
#include <variant>

#include "tools/shell/command_line.h"
#include "tools/shell/output.h"

// The lines of the interactive shell and of scripts.
namespace shell {

// The streams for help, and for errors in a command's syntax.
struct Streams {
  Output& out;
  Output& err;
};

// A line without a command: empty, or a comment.
struct Blank {};

[[nodiscard]] std::variant<Blank, Notice, CommandLine> read_line(const std::string& text,
                                                                 LineParser& parser);

// Prints the notice, and returns its exit code.
int print_notice(const Notice& notice, Streams streams);

}  // namespace shell
