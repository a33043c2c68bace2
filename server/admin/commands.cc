#include "server/admin/commands.h"

#include <algorithm>
#include <utility>

#include "server/clients/http_handlers.h"

namespace server {
namespace {

std::string_view path_of(std::string_view target) { return target.substr(0, target.find('?')); }

// None if the query is malformed. Escapes are not decoded, because all values are numbers and
// names.
std::optional<AdminCommands::Arguments> arguments_of(std::string_view target) {
  AdminCommands::Arguments arguments;
  std::string_view query = target.substr(std::min(path_of(target).size() + 1, target.size()));
  while (!query.empty()) {
    const std::string_view part = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(part.size() + 1, query.size()));
    const std::size_t equals = part.find('=');
    if (equals == 0 || equals == part.npos) return std::nullopt;
    const auto [entry, added] = arguments.emplace(part.substr(0, equals), part.substr(equals + 1));
    if (!added) return std::nullopt;
  }
  return arguments;
}

}  // namespace

void AdminCommands::add(std::string name, std::vector<std::string> parameters, Command command) {
  commands_[std::move(name)] = {std::move(parameters), std::move(command), 0};
}

void AdminCommands::run(std::string_view target, Done done) {
  const std::string_view name = path_of(target).substr(command_prefix.size());
  const auto found = commands_.find(name);
  if (found == commands_.end()) {
    unknown_ += 1;
    std::string known;
    for (const auto& [each, unused] : commands_) known += (known.empty() ? "" : ", ") + each;
    return done(
        error_answer(404, "NotFound",
                     "there is no command " + std::string(name) + "; the commands are " + known));
  }
  found->second.requests += 1;
  const std::optional<Arguments> arguments = arguments_of(target);
  if (auto refused = refuse(name, found->second, arguments)) return done(*std::move(refused));
  found->second.command(*arguments, std::move(done));
}

std::vector<Readings::CommandCount> AdminCommands::counts() const {
  std::vector<Readings::CommandCount> counts;
  for (const auto& [name, entry] : commands_) counts.push_back({name, entry.requests});
  counts.push_back({"unknown", unknown_});
  counts.push_back({"refused", refused_});
  return counts;
}

std::optional<Answer> AdminCommands::refuse(std::string_view name, const Entry& entry,
                                            const std::optional<Arguments>& arguments) {
  if (!arguments) {
    return error_answer(400, "BadRequest", "the text after the '?' must be name=value&name=value");
  }
  for (const auto& [argument, value] : *arguments) {
    if (std::ranges::find(entry.parameters, argument) != entry.parameters.end()) continue;
    return error_answer(400, "BadRequest",
                        std::string(name) + " takes no argument named " + argument);
  }
  return std::nullopt;
}

}  // namespace server
