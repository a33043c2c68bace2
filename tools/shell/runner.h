#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "client-lib/client.h"
#include "client-lib/hold.h"
#include "client-lib/lock.h"
#include "tools/shell/command_line.h"
#include "tools/shell/exit_codes.h"
#include "tools/shell/interrupted.h"
#include "tools/shell/multi_script.h"
#include "tools/shell/output.h"
#include "tools/shell/print.h"
#include "tools/shell/refused.h"
#include "tools/shell/servers_table.h"
#include "tools/shell/session_stream.h"
#include "tools/shell/signals.h"
#include "tools/shell/subtree_reader.h"

namespace shell {

class ContextFile;

enum class Mode { one_shot, interactive };

// Carries out commands: results go to `out`, errors and remarks to `err`.
class Runner {
 public:
  struct Settings {
    std::vector<zabkeeper::Endpoint> servers;
    std::vector<wire::AuthRequest> auth;  // for HTTP requests, which have no session
    Mode mode = Mode::one_shot;
    // Called by a command that ends in good order when it is interrupted: from then on, an
    // interrupt sets `interrupted`.
    std::function<void()> catch_interrupts = [] {};
    // Makes a client of another ensemble, with the same options.
    std::function<std::unique_ptr<zabkeeper::Client>(const std::string& servers)> open_client = {};
  };

  // `client` is called by the first command that needs a client.
  Runner(Settings settings, std::function<zabkeeper::Client&()> client, Output& out, Output& err);

  // Returns the exit code. Throws OutputFailed if a result cannot be written, and InputFailed if
  // data cannot be read from standard input.
  int run(const Command& command, const Common& common);
  // The same for a command whose only request was sent before: see only_request. Flushes results
  // only if there is an error.
  struct Answered {
    wire::Request request;
    zabkeeper::AnyReply reply;
  };
  int run(const Command& command, const Common& common, Answered answered);

  [[nodiscard]] const std::string& cwd() const { return cwd_; }

 private:
  void on(const Ls& ls);
  void on(const Tree& tree);
  void on(const Find& find);
  void on(const Grep& grep);
  void on(const Du& du);
  void on(const Diff& diff);
  void on(const Top& top);
  void on(const Get& get);
  void on(const Set& set);
  void on(const Create& create);
  void on(const Delete& remove);
  void on(const ShowStat& stat);
  void on(const Count& count);
  void on(const Ephemerals& ephemerals);
  void on(const Watch& watch);
  void on(const Lock& lock);
  void on(const Elect& elect);
  void on(const Await& await);
  void on(const ServeConfig& serve);
  void on(const Sync& sync);
  void on(const Whoami& whoami);
  void on(const Ping& ping);
  void on(const Status& status);
  void on(const Metrics& metrics);
  void on(const Handover& handover);
  void on(const ClusterLevel& level);
  void on(const Sessions& sessions);
  void on(const Watches& watches);
  void on(const Checkpoint& checkpoint);
  void on(const Locks& locks);
  void on(const Doctor& doctor);
  void on(const Debug& debug);
  void on(const UseContexts& contexts);
  void on(const Cd& cd);
  void on(const Pwd& pwd);
  void on(const Help& help);
  void on(const Quit&) {}
  void on(const Export& command);
  void on(const Import& command);
  void on(const Copy& command);
  void on(const Move& command);
  void on(const Mirror& command);
  void on(const AclCommand& command);
  void on(const Quota& quota);
  void on(const Multi& command);
  void on(const Edit& edit);

  // Sends a request and returns the reply; throws Refused on an error, which `run` reports. With
  // --json the reply is printed, unless `quiet`.
  enum class Echo { as_json, quiet };
  template <typename Request>
  zabkeeper::ReplyOf<Request> ask(Request request, const std::string& path,
                                  Echo echo = Echo::as_json);

  // The reply to a request that was sent before.
  zabkeeper::AnyReply take_answer(const wire::Request& request);
  // Sends a request, and waits for its reply. In the interactive shell an interrupt ends the wait.
  zabkeeper::AnyReply send(wire::Request request);
  int carry_out(const Command& command);
  void begin(const Common& common);
  // The calls of the client, within the time of --timeout.
  [[nodiscard]] zabkeeper::Calls calls();

  void list_below(const std::string& path, const Ls& ls, std::size_t depth_max = no_limit);
  // Whether the nodes below may be deleted. If there are any, asks the user at a terminal. Without
  // a terminal, returns true.
  [[nodiscard]] bool may_delete_below(const std::string& path);
  void delete_in_parts(const Delete& remove, const std::string& path);
  void remark_on(const SubtreeReader::Remarks& remarks, const std::string& top);
  // Throws Refused if the node does not exist.
  void expect_node(const std::string& path);
  // Throws Refused if somebody has changed the node, and says what.
  void set_edited(const std::string& path, const wire::GetReply& former, const std::string& data);
  void carry_out(const MultiScript& script);
  void show_quota(const std::string& path);
  void set_quota(const Quota& quota, const std::string& path);
  void move_in_parts(const Move& command, const std::string& from, const std::string& to);

  void run_for_events(const Watch& watch, const std::string& path);
  // holding.cc: runs a program while something is held.
  struct Holding {
    std::string path;
    const char* noun;  // what is held: for people
    const Words& program;
    std::optional<std::chrono::milliseconds> timeout = {};
  };
  void hold_and_run(const zabkeeper::Acquirable& wanted, const Holding& holding);
  // Returns nothing if it could not be acquired; then the exit code is set.
  std::optional<zabkeeper::Hold> acquire(const zabkeeper::Acquirable& wanted,
                                         const Holding& holding, Signals& signals);
  void run_under(const zabkeeper::Hold& hold, const Holding& holding, Signals& signals);
  void set_limit(const std::string& path, std::int32_t limit);
  void observe_leaders(const std::string& path);
  // Whether the commands of this shell come from standard input, which a program must not read.
  [[nodiscard]] bool is_script() const;
  // Connects to a server. Throws Refused if there is none: without this error, a command that waits
  // for an event would wait silently. `timeout` 0: the timeout of all requests.
  void connect(std::chrono::milliseconds timeout = {});
  void fail(int code, const std::string& words);
  // Prints a message that is not an error. Prints nothing with --quiet.
  void remark(const std::string& words);
  // A command has caught this signal. If the signal is for the whole program, the interactive shell
  // or the script ends after the command.
  void note_signal(int number);

  [[nodiscard]] zabkeeper::Endpoint leader() const;
  void show_servers(const std::vector<ServersColumn>& columns);
  // contexts.cc
  void list_contexts(const ContextFile& file);
  void show_context(const ContextFile& file, const std::string& asked);
  static void check_context(const ContextFile& file, const std::string& name);
  // Gives the leader a command. Its result must have the fields `numbers`, which are numbers.
  // `describe` returns the line to print for the result.
  using Describe = std::function<std::string(const nlohmann::json& result)>;
  void command_leader(const std::string& target, const std::vector<const char*>& numbers,
                      const Describe& describe);
  std::size_t show_queue(const std::string& path, Table& table, std::vector<Row>& rows);
  // operating.cc
  [[nodiscard]] SessionStream sessions_of(const zabkeeper::Endpoint& server,
                                          std::optional<std::uint32_t> at) const;
  void list_sessions(SessionStream& all, std::map<std::uint32_t, SessionStream>& own);
  void kill_sessions(const Sessions& sessions);
  void report_list_error(const zabkeeper::Endpoint& server,
                         const std::optional<wire::Error>& error);
  std::string read_data(const std::string& argument) const;
  [[nodiscard]] std::string absolute(const std::string& path) const;
  void print_json(const wire::ServerMessage& message);
  // Prints the rows or the objects, depending on --output. The first row has the titles.
  void print_rows(const std::vector<std::vector<std::string>>& rows, const std::vector<bool>& right,
                  const nlohmann::json& objects);

  Settings settings_;
  std::function<zabkeeper::Client&()> client_;
  Output& out_;
  Output& err_;
  Common common_;
  bool json_ = false;                                              // json or jsonl
  std::optional<std::chrono::steady_clock::time_point> deadline_;  // of --timeout
  int exit_code_ = exit_ok;
  std::optional<Answered> answered_;
  wire::Zxid last_zxid_;         // of a reply
  std::optional<int> ended_by_;  // a signal
  std::string cwd_ = "/";
};

}  // namespace shell
