#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "server/admin/answers.h"

namespace server {

// What an operator may ask of this server with POST /admin/NAME. Who may is for the gate to say.
class AdminCommands {
 public:
  // The query of the target, "to=2&now=": names and values, each name once.
  using Arguments = std::map<std::string, std::string, std::less<>>;
  using Done = std::function<void(Answer)>;
  // Calls `done` once, at once or later, on the event loop's thread.
  using CarryOut = std::function<void(const Arguments& arguments, Done done)>;

  // A command that can be carried out, or why not.
  struct Call {
    const CarryOut* carry_out = nullptr;
    Arguments arguments;
  };

  // `takes` are the names of the arguments that there may be.
  void add(std::string name, std::vector<std::string> takes, CarryOut carry_out);

  [[nodiscard]] static bool is_command(std::string_view target);
  // `target` as in the request line. The call is valid as long as this is.
  [[nodiscard]] std::variant<Answer, Call> find(std::string_view target) const;

 private:
  struct Command {
    std::vector<std::string> takes;
    CarryOut carry_out;
  };

  std::map<std::string, Command, std::less<>> commands_;
};

}  // namespace server
