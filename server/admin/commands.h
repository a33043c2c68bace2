#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/clients/answer.h"
#include "server/metrics/readings.h"

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
  void run(std::string_view target, Done done);
  // The gate has refused a request for a command.
  void refused() { refused_ += 1; }

  // How many requests there were of each command, of commands that do not exist, and of senders who
  // may not give commands.
  [[nodiscard]] std::vector<Readings::CommandCount> counts() const;

 private:
  struct Entry {
    std::vector<std::string> parameters;
    Command command;
    std::uint64_t requests = 0;
  };

  // The answer to arguments that cannot be used; nothing if they can be.
  [[nodiscard]] static std::optional<Answer> refuse(std::string_view name, const Entry& entry,
                                                    const std::optional<Arguments>& arguments);

  std::map<std::string, Entry, std::less<>> commands_;
  std::uint64_t unknown_ = 0;
  std::uint64_t refused_ = 0;
};

}  // namespace server
