#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <iosfwd>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "client-lib/client.h"
#include "tools/shell/command_line.h"
#include "tools/shell/exit_codes.h"

namespace shell {

// Set by an interrupt; ends a watch.
inline std::atomic<bool> interrupted{false};

enum class Mode { one_shot, interactive };

// Carries out commands: results go to `out`, errors and remarks to `err`.
class Runner {
 public:
  struct Settings {
    std::vector<zabkeeper::Endpoint> servers;
    std::chrono::milliseconds timeout{10'000};
    std::vector<wire::AuthRequest> auth;  // for HTTP requests, which have no session
    Mode mode = Mode::one_shot;
  };

  // `client` is called by the first command that needs a client.
  Runner(Settings settings, std::function<zabkeeper::Client&()> client, std::ostream& out,
         std::ostream& err);

  // Returns the exit code.
  int run(const Command& command, bool json);

  [[nodiscard]] const std::string& cwd() const { return cwd_; }

 private:
  struct Refused {
    wire::Error error;
    std::string path;
    Effect effect = Effect::read;
  };

  void on(const Ls& ls);
  void on(const Tree& tree);
  void on(const Get& get);
  void on(const Set& set);
  void on(const Create& create);
  void on(const Delete& remove);
  void on(const ShowStat& stat);
  void on(const Count& count);
  void on(const Ephemerals& ephemerals);
  void on(const Watch& watch);
  void on(const Sync& sync);
  void on(const Whoami& whoami);
  void on(const Ping& ping);
  void on(const Status& status);
  void on(const Metrics& metrics);
  void on(const Handover& handover);
  void on(const ClusterLevel& level);
  void on(const Cd& cd);
  void on(const Pwd& pwd);
  void on(const Help& help);
  void on(const Quit&) {}

  // Sends a request and returns the reply; throws Refused on an error. With --json the reply is
  // printed, unless `quiet`.
  enum class Echo { as_json, quiet };
  template <typename Request>
  zabkeeper::ReplyOf<Request> ask(Request request, const std::string& path,
                                  Echo echo = Echo::as_json);
  std::vector<wire::Child> children_of(const std::string& path, bool with_stat);
  void list_children(const Ls& ls, const std::string& path,
                     std::vector<std::vector<std::string>>& rows);
  std::size_t print_tree(const std::string& path, const std::string& indent);
  [[nodiscard]] std::optional<zabkeeper::Endpoint> leader() const;
  // A column of a table of servers: its title, and a field of GET /status.
  struct Column {
    std::string title;
    const char* field;
    bool is_number = false;
  };
  void show_servers(const std::vector<Column>& columns);
  // Gives the leader a command. `describe` makes the line that is printed for its result.
  using Describe = std::function<std::string(const nlohmann::json& result)>;
  void command_leader(const std::string& target, const Describe& describe);
  std::string read_data(const std::string& argument);
  [[nodiscard]] std::string absolute(const std::string& path) const;
  void print_json(const wire::ServerMessage& message);

  Settings settings_;
  std::function<zabkeeper::Client&()> client_;
  std::ostream& out_;
  std::ostream& err_;
  bool json_ = false;
  int exit_code_ = exit_ok;
  std::string cwd_ = "/";
};

}  // namespace shell
