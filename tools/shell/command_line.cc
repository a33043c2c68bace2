#include "tools/shell/command_line.h"

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <memory>
#include <string_view>

#include <CLI/CLI.hpp>

#include "tools/shell/exit_codes.h"

namespace shell {
namespace {

struct HelpRow {
  std::string_view name;
  std::string_view arguments;
  std::string_view purpose;
  std::string_view example;
};

constexpr std::array help_rows{
    HelpRow{"ls", "[-l] [-R] [PATH]", "lists the children of a node, -l with details, -R all below",
            "ls -l /app"},
    HelpRow{"tree", "[PATH]", "draws what is below a node", "tree /app"},
    HelpRow{"get", "[-s] PATH", "prints a node's data, -s its stat too", "get -s /app/config"},
    HelpRow{"set", "[-v VERSION] [--create] PATH DATA",
            "replaces a node's data, -v only at this version, --create where it is missing",
            "set -v 3 /app/config v2"},
    HelpRow{"create", "[-e] [-s] [-p] [-c] [--ttl MS] PATH [DATA]",
            "creates a node: -e ephemeral, -s sequential, -p with its parents, -c container",
            "create -p /app/config v1"},
    HelpRow{"delete", "[-r] [-v VERSION] PATH", "deletes a node, -r with all below; also: rm",
            "delete -r /app"},
    HelpRow{"stat", "PATH", "prints a node's stat, or fails with NoNode; also: exists",
            "stat /app/config"},
    HelpRow{"count", "[PATH]", "counts all nodes below one", "count /"},
    HelpRow{"ephemerals", "[PREFIX]", "lists this session's ephemeral nodes", "ephemerals /locks"},
    HelpRow{"watch", "[--scope node|children|subtree] [--once] [--count N] PATH",
            "prints a line for each change, until interrupted", "watch --scope subtree /app"},
    HelpRow{"sync", "[PATH]", "makes reads that follow see everything committed before", "sync"},
    HelpRow{"whoami", "", "lists this session's identities", "whoami"},
    HelpRow{"ping", "", "measures a round trip to the server", "ping"},
    HelpRow{"status", "", "shows every server: its role, how far it is, how much it holds",
            "status"},
    HelpRow{"metrics", "[PREFIX]", "prints what every server counts, for all names or some",
            "metrics zabkeeper_log"},
    HelpRow{
        "handover", "[ID]",
        "makes the leader hand its lead over, to server ID or any that can; needs to run on the "
        "leader's machine, or --auth digest:USER:PASSWORD of superDigest",
        "handover 2"},
    HelpRow{"cd", "[PATH]", "makes relative paths begin there (interactive shell)", "cd /app"},
    HelpRow{"pwd", "", "prints where relative paths begin (interactive shell)", "pwd"},
    HelpRow{"help", "[COMMAND]", "explains a command, or names them all", "help watch"},
    HelpRow{"quit", "", "leaves the shell; so does the end of input", "quit"},
};

constexpr std::string_view options_help =
    "  --server LIST     ws://host:port, several with commas (or ZABKEEPER_SERVERS);\n"
    "                    default ws://127.0.0.1:2180\n"
    "  --timeout-ms N    of the session, and for each answer; default 10000\n"
    "  --auth S:TOKEN    an identity, e.g. digest:user:password; may be repeated\n"
    "  --json            prints replies and errors as JSON\n"
    "  --version         prints the version\n";

std::string_view canonical(std::string_view name) {
  if (name == "rm") return "delete";
  if (name == "exists") return "stat";
  if (name == "exit") return "quit";
  return name;
}

std::string help_of(const HelpRow& row) {
  std::string text = "usage: " + std::string(row.name);
  if (!row.arguments.empty()) text += ' ' + std::string(row.arguments);
  text += "\n" + std::string(row.purpose) + "\nexample: " + std::string(row.example) + '\n';
  if (row.name == "set" || row.name == "create") text += "DATA - reads standard input\n";
  return text;
}

wire::AuthRequest auth_of(const std::string& text) {
  const std::size_t colon = text.find(':');
  if (colon == 0 || colon == std::string::npos) {
    throw CLI::ValidationError("--auth", "wants SCHEME:TOKEN");
  }
  return {text.substr(0, colon), text.substr(colon + 1)};
}

// The options of every command, each filling one Command.
class Commands {
 public:
  explicit Commands(CLI::App& app) : app_(app) {
    {
      auto [sub, ls] = add<Ls>("ls");
      sub->add_flag("-l", ls->details);
      sub->add_flag("-R", ls->recursive);
      sub->add_option("PATH", ls->path);
    }
    {
      auto [sub, tree] = add<Tree>("tree");
      sub->add_option("PATH", tree->path);
    }
    {
      auto [sub, get] = add<Get>("get");
      sub->add_flag("-s", get->stat);
      sub->add_option("PATH", get->path)->required();
    }
    {
      auto [sub, set] = add<Set>("set");
      sub->add_option("-v", set->version);
      sub->add_flag("--create", set->create);
      sub->add_option("PATH", set->path)->required();
      sub->add_option("DATA", set->data)->required();
    }
    {
      auto [sub, create] = add<Create>("create");
      sub->add_flag("-e", create->ephemeral);
      sub->add_flag("-s", create->sequential);
      sub->add_flag("-p", create->parents);
      sub->add_flag("-c", create->container);
      sub->add_option("--ttl", create->ttl_ms);
      sub->add_option("PATH", create->path)->required();
      sub->add_option("DATA", create->data);
    }
    for (const char* name : {"delete", "rm"}) {
      auto [sub, remove] = add<Delete>(name);
      sub->add_flag("-r", remove->recursive);
      sub->add_option("-v", remove->version);
      sub->add_option("PATH", remove->path)->required();
    }
    for (const char* name : {"stat", "exists"}) {
      auto [sub, stat] = add<ShowStat>(name);
      sub->add_option("PATH", stat->path)->required();
    }
    {
      auto [sub, count] = add<Count>("count");
      sub->add_option("PATH", count->path);
    }
    {
      auto [sub, ephemerals] = add<Ephemerals>("ephemerals");
      sub->add_option("PREFIX", ephemerals->prefix);
    }
    {
      auto [sub, watch] = add<Watch>("watch");
      static const std::map<std::string, wire::WatchScope> scopes{
          {"node", wire::WatchScope::node},
          {"children", wire::WatchScope::children},
          {"subtree", wire::WatchScope::subtree}};
      sub->add_option("--scope", watch->scope)->transform(CLI::CheckedTransformer(scopes));
      auto* once = sub->add_flag_callback("--once", [watch = watch] { watch->count = 1; });
      sub->add_option("--count", watch->count)->check(CLI::PositiveNumber)->excludes(once);
      sub->add_option("PATH", watch->path)->required();
    }
    {
      auto [sub, sync] = add<Sync>("sync");
      sub->add_option("PATH", ignored_);
    }
    add<Whoami>("whoami");
    add<Ping>("ping");
    add<Status>("status");
    {
      auto [sub, metrics] = add<Metrics>("metrics");
      sub->add_option("PREFIX", metrics->prefix);
    }
    {
      auto [sub, handover] = add<Handover>("handover");
      sub->add_option("ID", handover->to);
    }
    {
      auto [sub, cd] = add<Cd>("cd");
      sub->add_option("PATH", cd->path);
    }
    add<Pwd>("pwd");
    {
      auto [sub, help] = add<Help>("help");
      sub->add_option("COMMAND", help->topic);
    }
    add<Quit>("quit");
    add<Quit>("exit");
  }

  // Of the command that was given, if one was.
  [[nodiscard]] std::optional<Command> taken() const {
    for (const auto& [sub, command] : given_) {
      if (sub->parsed()) return *command;
    }
    return std::nullopt;
  }
  [[nodiscard]] std::string topic() const {
    for (const auto& [sub, command] : given_) {
      if (sub->parsed()) return sub->get_name();
    }
    return {};
  }

 private:
  template <typename T>
  std::pair<CLI::App*, T*> add(const char* name) {
    CLI::App* sub = app_.add_subcommand(name);
    auto& [app, command] = given_.emplace_back(sub, std::make_unique<Command>(T{}));
    return {sub, &std::get<T>(*command)};
  }

  CLI::App& app_;
  std::vector<std::pair<CLI::App*, std::unique_ptr<Command>>> given_;
  std::string ignored_;
};

std::variant<CommandLine, Said> parse(std::vector<std::string> words, const std::string* version) {
  CommandLine line;
  std::vector<std::string> auth;
  CLI::App app("", "zab");
  app.fallthrough();
  app.require_subcommand(0, 1);
  app.add_flag("--json", line.json);
  if (version) {
    app.add_option("--server", line.servers)->envname("ZABKEEPER_SERVERS");
    app.add_option("--timeout-ms", line.timeout_ms)->check(CLI::PositiveNumber);
    app.add_option("--auth", auth)->expected(1)->take_all();
    app.set_version_flag("--version", "zab " + *version);
  }
  Commands commands(app);
  try {
    std::ranges::reverse(words);  // as CLI11 wants it
    app.parse(std::move(words));
    for (const std::string& each : auth) line.auth.push_back(auth_of(each));
  } catch (const CLI::CallForVersion& asked) {
    return Said{std::string(asked.what()) + '\n', exit_ok};
  } catch (const CLI::CallForHelp&) {
    return Said{help(commands.topic()), exit_ok};
  } catch (const CLI::ParseError& error) {
    const std::string topic = commands.topic();
    if (!topic.empty()) return Said{std::string(error.what()) + '\n' + help(topic), exit_usage};
    const std::vector<std::string> extras = app.remaining();
    const bool no_command = !extras.empty() && !extras.front().starts_with('-');
    return Said{(no_command ? "no command is called " + extras.front() : error.what()) +
                    "\n`help` names the commands\n",
                exit_usage};
  }
  line.command = commands.taken();
  return line;
}

}  // namespace

std::variant<CommandLine, Said> parse_command_line(std::vector<std::string> words,
                                                   const std::string& version) {
  return parse(std::move(words), &version);
}

std::variant<CommandLine, Said> parse_line(std::vector<std::string> words) {
  return parse(std::move(words), nullptr);
}

std::vector<std::string> command_names() {
  std::vector<std::string> names;
  for (const HelpRow& row : help_rows) names.emplace_back(row.name);
  return names;
}

std::string help(const std::string& topic) {
  const auto row = std::ranges::find(help_rows, canonical(topic), &HelpRow::name);
  if (row != help_rows.end()) return help_of(*row);

  std::string text = topic.empty() ? "" : "no command is called " + topic + "\n\n";
  text += "usage: zab [OPTION...] COMMAND ...   runs one command\n";
  text += "       zab [OPTION...]               reads commands from the terminal or a pipe\n\n";
  text += options_help;
  text += "\ncommands (`help COMMAND` says more):\n";
  for (const HelpRow& each : help_rows) {
    text += "  " + std::string(each.name) + std::string(12 - each.name.size(), ' ') +
            std::string(each.purpose) + "\n" + std::string(14, ' ') + "e.g. " +
            std::string(each.example) + '\n';
  }
  text += "\nexit codes:\n" + exit_codes_help();
  return text;
}

}  // namespace shell
