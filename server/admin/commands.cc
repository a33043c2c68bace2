#include "server/admin/commands.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace server {
namespace {

constexpr std::string_view folder = "/admin/";

std::string_view path_of(std::string_view target) { return target.substr(0, target.find('?')); }

// Values are plain: numbers and words, nothing that would have to be encoded.
std::optional<AdminCommands::Arguments> arguments_of(std::string_view target) {
  AdminCommands::Arguments arguments;
  std::string_view query = target.substr(std::min(path_of(target).size() + 1, target.size()));
  while (!query.empty()) {
    const std::string_view part = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(part.size() + 1, query.size()));
    const std::size_t equals = part.find('=');
    if (equals == 0 || equals == part.npos) return std::nullopt;
    const auto [place, fresh] = arguments.emplace(part.substr(0, equals), part.substr(equals + 1));
    if (!fresh) return std::nullopt;
  }
  return arguments;
}

}  // namespace

void AdminCommands::add(std::string name, std::vector<std::string> takes, CarryOut carry_out) {
  commands_[std::move(name)] = {std::move(takes), std::move(carry_out)};
}

bool AdminCommands::is_command(std::string_view target) {
  return path_of(target).starts_with(folder);
}

std::variant<Answer, AdminCommands::Call> AdminCommands::find(std::string_view target) const {
  const std::string_view name = path_of(target).substr(folder.size());
  const auto command = commands_.find(name);
  if (command == commands_.end()) {
    std::string known;
    for (const auto& [each, unused] : commands_) known += (known.empty() ? "" : ", ") + each;
    return error_answer(404, "NotFound",
                        "there is no command " + std::string(name) + "; there is " + known);
  }
  std::optional<Arguments> arguments = arguments_of(target);
  if (!arguments) {
    return error_answer(400, "BadRequest", "what follows the '?' must be name=value&name=value");
  }
  for (const auto& [argument, value] : *arguments) {
    if (std::ranges::find(command->second.takes, argument) != command->second.takes.end()) continue;
    return error_answer(400, "BadRequest",
                        std::string(name) + " takes no argument named " + argument);
  }
  return Call{&command->second.carry_out, *std::move(arguments)};
}

}  // namespace server
