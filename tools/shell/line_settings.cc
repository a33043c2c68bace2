#include "tools/shell/line_settings.h"

#include <algorithm>
#include <string>
#include <variant>

namespace shell {

std::size_t command_at(const Words& words) {
  std::size_t at = 0;
  while (at < words.size() && words[at].starts_with('-')) {
    const auto option = std::ranges::find(global_options(), words[at], &GlobalOption::name);
    const bool has_value = option != global_options().end() && !option->argument.empty();
    at += has_value ? 2 : 1;
  }
  return std::min(at, words.size());
}

void give_timeout(Command& command, const std::optional<std::chrono::milliseconds>& timeout) {
  std::visit(
      [&](auto& each) {
        if constexpr (has_own_timeout<decltype(each)>) {
          if (!each.timeout) each.timeout = timeout;
        }
      },
      command);
}

void add_context(SettingTexts& texts, const std::optional<Command>& command,
                 const ContextSource& contexts) {
  // Help must work even if the file of contexts is not valid.
  if (!contexts || (command && std::holds_alternative<Help>(*command))) return;
  const auto name = texts.find("--context");
  SettingTexts context =
      contexts(name == texts.end() ? std::nullopt : std::optional(name->second.front().value));
  // The secrets of a context are for its own servers only.
  if (texts.contains("--server")) context.erase("--auth");
  texts.merge(context);
}

void give_settings(UseContexts& use, const SettingTexts& texts) {
  for (const auto& [option, values] : texts) {
    for (const SettingText& each : values) use.settings[std::string(option)].push_back(each.value);
  }
  if (use.settings.empty()) {
    throw WrongSetting("context set: which options? For example --server ws://a:2180");
  }
}

}  // namespace shell
