#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "wire/requests.h"

// What somebody asked the shell to do, as values.
namespace shell {

struct Ls {
  std::string path = ".";
  bool details = false;
  bool recursive = false;
};
struct Tree {
  std::string path = ".";
};
struct Get {
  std::string path;
  bool stat = false;
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
  std::size_t count = 0;  // events after which it ends; 0: when interrupted
};
struct Sync {};
struct Whoami {};
struct Ping {};
struct Status {};
struct Metrics {
  std::string prefix;  // of the names
};
struct Handover {
  std::optional<std::uint32_t> to;  // none: to any server that can
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
                             Sync, Whoami, Ping, Status, Metrics, Handover, Cd, Pwd, Help, Quit>;

struct CommandLine {
  std::string servers = "ws://127.0.0.1:2180";
  std::int64_t timeout_ms = 10'000;
  std::vector<wire::AuthRequest> auth;
  bool json = false;
  std::optional<Command> command;  // none: the interactive shell
};

// Nothing to run, but something to say: usage, a version or what is wrong.
struct Said {
  std::string text;
  int exit_code = 0;
};

// The words after the program's name.
[[nodiscard]] std::variant<CommandLine, Said> parse_command_line(std::vector<std::string> words,
                                                                 const std::string& version);
// The words of one line of the interactive shell.
[[nodiscard]] std::variant<CommandLine, Said> parse_line(std::vector<std::string> words);

// Those of `help`, in its order.
[[nodiscard]] std::vector<std::string> command_names();
[[nodiscard]] std::string help(const std::string& topic);

}  // namespace shell
