#pragma once

#include <chrono>
#include <cstddef>
#include <optional>

#include "tools/shell/command_line.h"
#include "tools/shell/global_options.h"

// What a command line says about the options of all commands.
namespace shell {

// Where the name of the command is: behind options of the program.
[[nodiscard]] std::size_t command_at(const Words& words);
// A command that has a timeout of its own takes that of the program if it got none.
void give_timeout(Command& command, const std::optional<std::chrono::milliseconds>& timeout);
// The settings of a context have the least weight.
void add_context(SettingTexts& texts, const std::optional<Command>& command,
                 const ContextSource& contexts);
// `context set` gets the options that other commands would use.
void give_settings(UseContexts& use, const SettingTexts& texts);

}  // namespace shell
