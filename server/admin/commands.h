#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/clients/answer.h"

namespace server {

// The commands that an operator can give with POST /admin/NAME. Whether the sender may give
// commands is checked before, by Gate.
class AdminCommands {
 public:
  // The query of the target, "to=2&now=": names and values, each name once.
  using Arguments = std::map<std::string, std::string, std::less<>>;
  using Done = std::function<void(Answer)>;
  // Calls `done` once, during the call or later, on the event loop's thread.
  using Command = std::function<void(const Arguments& arguments, Done done)>;

  // `parameters` are the names of the arguments that the command accepts.
  void add(std::string name, std::vector<std::string> parameters, Command command);

  // Runs the command that `target`, as in the request line, names. Answers at once if there is no
  // such command, or if it does not accept the arguments.
  void run(std::string_view target, Done done) const;

 private:
  struct Entry {
    std::vector<std::string> parameters;
    Command command;
  };

  // The answer to arguments that cannot be used; nothing if they can be.
  [[nodiscard]] static std::optional<Answer> refuse(std::string_view name, const Entry& entry,
                                                    const std::optional<Arguments>& arguments);

  std::map<std::string, Entry, std::less<>> commands_;
};

}  // namespace server
