#pragma once

#include <chrono>
#include <cstddef>
#include <optional>

#include "tools/shell/command_line.h"
#include "tools/shell/global_options.h"

// The options of all commands, as a command line sets them.
namespace shell {

// The index of the command's name, after the options of the program.
[[nodiscard]] std::size_t command_at(const Words& words);
// Gives the program's timeout to a command that has an own option for it, if that option is not
// set.
void give_timeout(Command& command, const std::optional<std::chrono::milliseconds>& timeout);
// Adds the settings of a context. They never replace a setting that is there.
void add_context(SettingTexts& texts, const std::optional<Command>& command,
                 const ContextSource& contexts);
// Gives `context set` the options to save. Other commands would use these options themselves.
void give_settings(UseContexts& use, const SettingTexts& texts);

}  // namespace shell
