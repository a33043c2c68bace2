#pragma once

#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "server/config/command_line.h"

namespace boost::asio {
class io_context;
}

namespace server {

// What differs between the configuration in use and the one that was read again.
struct ConfigChanges {
  bool log_level = false;                // can be changed while the server runs
  std::vector<std::string> for_restart;  // the other keys
};
[[nodiscard]] ConfigChanges changes(const Configured& in_use, const Configured& read);

// Reads the configuration again, and changes what can be changed while the server runs. The log
// says what has changed, what needs a restart, and what is wrong. Errors change nothing.
class Reload {
 public:
  using Outcome = std::variant<RunServer, PrintAndExit>;

  // `read` is called on a thread of its own, because a file may be on a disk that hangs.
  Reload(boost::asio::io_context& io, Configured in_use, std::function<Outcome()> read);

  // Call it on the event loop. Both outlive what this starts.
  void begin();

 private:
  void finish(const Outcome& outcome);
  void use(const Configured& read);

  boost::asio::io_context& io_;
  Configured in_use_;
  const std::function<Outcome()> read_;
  bool is_reading_ = false;
};

}  // namespace server
