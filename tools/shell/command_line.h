#pragma once

#include <array>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "tools/shell/browse_commands.h"
#include "tools/shell/change_commands.h"
#include "wire/requests.h"

// The commands of the shell, as values.
namespace shell {

using Words = std::vector<std::string>;

struct Ls {
  std::string path = ".";
  bool null = false;  // a byte 0 ends each name
  bool details = false;
  bool recursive = false;
};
struct Tree {
  std::string path = ".";
  std::size_t depth_max = no_limit;
  bool sizes = false;
};
struct Get {
  std::string path;
  bool stat = false;
  bool raw = false;     // the data alone, byte for byte
  bool pretty = false;  // the data as indented JSON
};
struct Set {
  std::string path;
  std::string data;
  std::int32_t version = wire::any_version;
  bool create = false;
};
struct Create {
  std::string path;
  std::string data;
  bool ephemeral = false;
  bool sequential = false;
  bool parents = false;
  bool container = false;
  std::optional<std::int64_t> ttl_ms;
};
struct Delete {
  std::string path;
  std::int32_t version = wire::any_version;
  bool recursive = false;
  bool without_question = false;
};
struct ShowStat {
  std::string path;
};
struct Count {
  std::string path = ".";
};
struct Ephemerals {
  std::string prefix = "/";
};
struct Watch {
  std::string path;
  wire::WatchScope scope = wire::WatchScope::node;
  std::size_t count = 0;  // of events, after which it ends; 0: it ends when interrupted
  std::optional<wire::Zxid> from = {};
  bool parallel = false;
  bool exit_on_error = false;
  Words program = {};  // run for each event; none: events are printed
};
// Runs a program while it holds a lock, or with `limit` a place of a semaphore.
struct Lock {
  std::string path;
  std::optional<std::int32_t> limit = {};
  // How long to wait for the lock; 0: not at all; none: without a limit.
  std::optional<std::chrono::milliseconds> timeout = {};
  Words program = {};
};
// Runs a program while it leads, or prints the leaders.
struct Elect {
  std::string path;
  std::string value;
  bool observe = false;
  std::optional<std::chrono::milliseconds> timeout = {};  // as of Lock
  Words program = {};
};
// Waits until the node is in this state.
struct Await {
  enum class State : std::uint8_t { exists, gone, changed, equals };

  std::string path;
  State state = State::exists;
  std::string value;  // of `equals`
  // 0: looks once; none: without a limit.
  std::optional<std::chrono::milliseconds> timeout = {};
};
// Keeps a file equal to a node's data.
struct ServeConfig {
  std::string path;
  std::string file;
  Words check = {};    // gets the name of a file with the new data; none: all data are good
  Words program = {};  // run when the file was replaced
};
struct Sync {};
struct Whoami {};
struct Ping {};
struct Status {
  std::optional<std::chrono::milliseconds> watch;  // repeat it after so long, until interrupted
};
struct Metrics {
  std::string prefix;  // of the metrics' names; empty: all metrics
};
// Without a level: shows the level of the ensemble, and what each server can run at.
struct ClusterLevel {
  std::optional<std::uint32_t> level;
};
struct Handover {
  std::optional<std::uint32_t> to;  // a server's id; none: any server that is caught up
};
// Lists the sessions, or ends some of them.
struct Sessions {
  std::optional<std::uint32_t> at;  // only those whose client connected to this server last
  std::vector<wire::SessionId> kill;
};
struct Watches {
  std::size_t top = 20;
};
struct Checkpoint {};
// Reports what is wrong with the servers, and what will soon be.
struct Doctor {};
// Writes an archive for a bug report.
struct Debug {
  std::string file;  // empty: named by the time
};
// Shows who holds a lock, and who waits for it.
struct Locks {
  std::string path = ".";
  bool recursive = false;
};
// Changes or shows the file of contexts.
struct UseContexts {
  enum class Action : std::uint8_t { list, show, use, set, remove };

  Action action = Action::list;
  std::string name;
  std::map<std::string, std::vector<std::string>> settings;  // of `set`, by option
};
struct Cd {
  std::string path = "/";
};
struct Pwd {};
struct Help {
  std::string topic;
};
struct Quit {};

using Command = std::variant<Ls, Tree, Get, Set, Create, Delete, ShowStat, Count, Ephemerals, Watch,
                             Lock, Elect, Await, ServeConfig, Sync, Whoami, Ping, Status, Metrics,
                             Handover, ClusterLevel, Cd, Pwd, Help, Quit, Find, Grep, Du, Diff, Top,
                             Export, Import, Copy, Move, Mirror, AclCommand, Quota, Multi, Edit,
                             Sessions, Watches, Checkpoint, Locks, Doctor, Debug, UseContexts>;

// Whether the command itself ends at its timeout.
template <typename Each>
inline constexpr bool has_own_timeout = requires(Each each) {
  { each.timeout.value() } -> std::convertible_to<std::chrono::milliseconds>;
};
// Whether it may wait very long. If so, its user is told when the session changes.
[[nodiscard]] bool is_lasting(const Command& command);
// Whether it ends in good order when it is interrupted.
[[nodiscard]] bool ends_when_interrupted(const Command& command);
// Whether exit code 1 is a result, as for `grep`. If so, its other errors have exit code 2.
[[nodiscard]] bool answers_by_exit_code(const Command& command);
// Whether it goes on in a new session when its session has ended.
[[nodiscard]] bool outlives_sessions(const Command& command);

enum class Format : std::uint8_t { table, json, jsonl, raw };
inline constexpr std::array<std::string_view, 4> format_names{"table", "json", "jsonl", "raw"};

// The options of every command.
struct Common {
  Format format = Format::table;
  bool quiet = false;
  std::optional<std::chrono::milliseconds> timeout = {};
};

struct CommandLine {
  std::string servers = "ws://127.0.0.1:2180";
  std::int64_t timeout_ms = 10'000;
  std::vector<wire::AuthRequest> auth;
  Common common;
  std::optional<Command> command;  // none: the interactive shell, or a script
  bool is_script = false;          // asked for: the commands are in standard input
};

// The result of a command line that has no command to run: help, the version, or a wrong usage.
struct Notice {
  std::string text;
  int exit_code = 0;
};

struct SettingText;
// The options that one source sets, by their names: see global_options.h.
using SettingTexts = std::map<std::string_view, std::vector<SettingText>>;
// Returns the settings of a context. Without a name: of the current context.
using ContextSource = std::function<SettingTexts(const std::optional<std::string>& name)>;

// `words`: the arguments of the program. An option that they do not set comes from the environment,
// or else from a context.
[[nodiscard]] std::variant<CommandLine, Notice> parse_command_line(
    std::vector<std::string> words, const std::string& version, const ContextSource& contexts = {});

class Parser;

// Parses lines of the interactive shell and of scripts. Keeps the parsers of commands that send one
// request: a script may repeat them very often, and making a parser takes longer than the request.
class LineParser {
 public:
  // `common`: for lines that have no such options of their own.
  explicit LineParser(Common common = {});
  ~LineParser();

  [[nodiscard]] std::variant<CommandLine, Notice> parse(Words words);

 private:
  Common common_;
  std::map<std::string, std::unique_ptr<Parser>> parsers_;  // by the command's name
};

// Parses a single line.
[[nodiscard]] std::variant<CommandLine, Notice> parse_line(Words words);

// The names of all commands, in the order of `help`.
[[nodiscard]] std::vector<std::string> command_names();
// A row of the help.
struct CommandHelp {
  std::string name;
  std::string arguments;
  std::string purpose;
  std::string example;
  std::string details;  // further lines
};
[[nodiscard]] std::vector<CommandHelp> command_helps();
// The help on a command; on all of them if `topic` is empty or unknown.
[[nodiscard]] std::string help(const std::string& topic);

}  // namespace shell
