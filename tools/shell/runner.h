#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
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
#include "tools/shell/output.h"
#include "tools/shell/signals.h"

namespace shell {

class ContextFile;

// Set by an interrupt; ends a watch, and a deletion in parts.
inline std::atomic<bool> interrupted{false};

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
  };

  // `client` is called by the first command that needs a client.
  Runner(Settings settings, std::function<zabkeeper::Client&()> client, Output& out, Output& err);

  // Returns the exit code. Throws OutputFailed if a result cannot be written, and InputFailed if
  // data cannot be read from standard input.
  int run(const Command& command, const Common& common);
  // Also for a command whose only request was sent before: see only_request. Results are not
  // flushed, unless there is an error.
  struct Answered {
    wire::Request request;
    zabkeeper::AnyReply reply;
  };
  int run(const Command& command, const Common& common, Answered answered);

  [[nodiscard]] const std::string& cwd() const { return cwd_; }

 private:
  struct Refused {
    wire::Error error;
    std::string path;
    Effect effect = Effect::read;
    wire::Zxid zxid = {};       // of the reply
    bool is_in_output = false;  // with --json, the output has said so already
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
  void on(const UseContexts& contexts);
  void on(const Cd& cd);
  void on(const Pwd& pwd);
  void on(const Help& help);
  void on(const Quit&) {}

  // Sends a request and returns the reply; throws Refused on an error, which `run` reports. With
  // --json the reply is printed, unless `quiet`.
  enum class Echo { as_json, quiet };
  template <typename Request>
  zabkeeper::ReplyOf<Request> ask(Request request, const std::string& path,
                                  Echo echo = Echo::as_json);

  // The reply to a request that was sent before.
  zabkeeper::AnyReply take_answer(const wire::Request& request);
  // In the interactive shell an interrupt ends it.
  zabkeeper::AnyReply send(wire::Request request);
  int carry_out(const Command& command);
  void begin(const Common& common);
  // The calls of the client, within the time of --timeout.
  [[nodiscard]] zabkeeper::Calls calls();

  // Lists page by page, because one reply for very many children would be too large. `visit` gets
  // each child, and whether it is the last one. Returns the last page, without its children.
  using Visit = std::function<void(const wire::Child& child, bool is_last)>;
  wire::ChildrenReply for_each_child(const std::string& path, bool with_stat, const Visit& visit);
  // Does something with a node that was listed. It may have been deleted meanwhile, or be
  // unreadable: then a remark is made, and the caller goes on with other nodes.
  void look_below(const std::string& path, const std::function<void()>& action);
  void remark_vanished();
  void list_as_reply(const Ls& ls, const std::string& path);
  using VisitPath = std::function<void(const std::string& path, const wire::Child& child)>;
  void list_below(const std::string& path, const VisitPath& visit);
  // Adds the number of nodes to `count`.
  void print_tree(const std::string& path, const std::string& indent, std::size_t& count);
  void delete_in_parts(const Delete& remove, const std::string& path);

  void run_for_events(const Watch& watch, const std::string& path);
  // holding.cc: runs a program while something is held.
  struct Holding {
    std::string path;
    const char* noun;  // what is held: for people
    const Words& program;
    std::optional<std::chrono::milliseconds> timeout = {};
  };
  void hold_and_run(const zabkeeper::Acquirable& wanted, const Holding& holding);
  // Nothing if it could not be acquired; then the exit code is set.
  std::optional<zabkeeper::Hold> acquire(const zabkeeper::Acquirable& wanted,
                                         const Holding& holding, Signals& signals);
  void run_under(const zabkeeper::Hold& hold, const Holding& holding, Signals& signals);
  void set_limit(const std::string& path, std::int32_t limit);
  void observe_leaders(const std::string& path);
  // Whether the commands of this shell come from standard input, which a program must not read.
  [[nodiscard]] bool is_script() const;
  // Throws Refused if there is no server: what waits for an event would wait without a word. 0: the
  // timeout of all requests.
  void connect(std::chrono::milliseconds timeout = {});
  void fail(int code, const std::string& words);
  // Says something that is no error: not with --quiet.
  void remark(const std::string& words);
  // A command has caught it. The interactive shell and a script end after the command, if the
  // signal asks the whole program to end.
  void note_signal(int number);

  // A page of a server, or the problem: no reply, a reply that is an error, or one of another form.
  [[nodiscard]] static zabkeeper::Result<std::string> page(const zabkeeper::Endpoint& server,
                                                           const std::string& target);
  [[nodiscard]] static zabkeeper::Result<nlohmann::json> status_of(
      const zabkeeper::Endpoint& server);
  [[nodiscard]] zabkeeper::Endpoint leader() const;
  // A column of a table of servers: its title, and a field of GET /status.
  struct Column {
    std::string title;
    const char* field;
    bool is_number = false;
  };
  void show_servers(const std::vector<Column>& columns);
  // Gives the leader a command. Its result has the fields `numbers`, which are numbers. `describe`
  // makes the line that is printed for the result.
  using Describe = std::function<std::string(const nlohmann::json& result)>;
  // contexts.cc
  void list_contexts(const ContextFile& file);
  void show_context(const ContextFile& file, const std::string& asked);
  static void check_context(const ContextFile& file, const std::string& name);
  void command_leader(const std::string& target, const std::vector<const char*>& numbers,
                      const Describe& describe);
  std::string read_data(const std::string& argument) const;
  [[nodiscard]] std::string absolute(const std::string& path) const;
  void print_json(const wire::ServerMessage& message);
  // Prints the rows, of which the first has the titles, or the objects, as --output says.
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
  std::optional<int> ended_by_;  // a signal
  std::string cwd_ = "/";
  wire::Zxid last_zxid_;      // of a reply
  std::size_t vanished_ = 0;  // nodes that this command listed, and that were then deleted
  std::string first_vanished_;
};

}  // namespace shell
