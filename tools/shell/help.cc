#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "tools/shell/command_line.h"
#include "tools/shell/exit_codes.h"
#include "tools/shell/global_options.h"
#include "tools/shell/nearest.h"

namespace shell {
namespace {

struct HelpRow {
  std::string_view name;
  std::string_view arguments;
  std::string_view purpose;
  std::string_view example;
};

constexpr std::array help_rows{
    HelpRow{"ls", "[-l | -0] [-R] [PATH]",
            "lists the children of a node, -l with details, -R all nodes below, -0 for xargs -0",
            "ls -l /app"},
    HelpRow{"tree", "[PATH]", "draws the tree below a node", "tree /app"},
    HelpRow{"get", "[-s] PATH", "prints a node's data, -s with its stat", "get -s /app/config"},
    HelpRow{"set", "[-v VERSION] [--create] PATH DATA",
            "replaces a node's data, -v only at this version, --create if it does not exist",
            "set -v 3 /app/config v2"},
    HelpRow{"create", "[-e] [-s] [-p] [-c] [--ttl MS] PATH [DATA]",
            "creates a node: -e ephemeral, -s sequential, -p with its parents, -c container",
            "create -p /app/config v1"},
    HelpRow{"delete", "[-r] [-v VERSION] PATH", "deletes a node, -r with all nodes below; also: rm",
            "delete -r /app"},
    HelpRow{"stat", "PATH", "prints a node's stat, or fails with NoNode; also: exists",
            "stat /app/config"},
    HelpRow{"count", "[PATH]", "counts all nodes below a node", "count /"},
    HelpRow{"ephemerals", "[PREFIX]", "lists this session's ephemeral nodes", "ephemerals /locks"},
    HelpRow{
        "watch",
        "[--scope node|children|subtree | --recursive] [--once] [--count N] [--from ZXID] PATH\n"
        "       watch [OPTION...] [--parallel] [--exit-on-error] PATH -- CMD...",
        "prints a line for each change, or runs CMD for it, until interrupted",
        "watch --recursive /app -- ./on-change"},
    HelpRow{"lock", "[--limit N] [--timeout SECONDS | --try] PATH -- CMD...",
            "runs CMD while it holds a lock, with --limit one of N places of a semaphore",
            "lock /locks/backup -- rsync -a /data /backup"},
    HelpRow{"elect", "PATH [VALUE] -- CMD... | --observe PATH",
            "runs CMD while it leads, or --observe prints each leader",
            "elect /services/report host1 -- ./report"},
    HelpRow{"await", "[--timeout SECONDS] PATH exists | gone | changed | equals VALUE",
            "waits until the node is in this state", "await --timeout 30 /app/ready exists"},
    HelpRow{"serve-config", "[--check CMD] PATH FILE [-- RELOAD...]",
            "keeps FILE equal to the node's data; RELOAD is run after each change",
            "serve-config --check 'nginx -t -c' /web /etc/nginx.conf -- nginx -s reload"},
    HelpRow{"sync", "[PATH]", "makes later reads see everything committed before", "sync"},
    HelpRow{"whoami", "", "lists this session's identities", "whoami"},
    HelpRow{"ping", "", "measures a round trip to the server", "ping"},
    HelpRow{"status", "", "shows each server's role, epoch, zxid, sessions and nodes", "status"},
    HelpRow{"metrics", "[PREFIX]",
            "prints the metrics of each server, all or those with this prefix",
            "metrics zabkeeper_log"},
    HelpRow{
        "handover", "[ID]",
        "makes the leader hand over to server ID, or to any server that is caught up; must run on "
        "the leader's machine, or with --auth digest:USER:PASSWORD of superDigest",
        "handover 2"},
    HelpRow{"cluster", "level [N]",
            "shows the ensemble's level and what each server can run at, or sets the level to N; "
            "to set it, the same rules hold as for handover",
            "cluster level 1"},
    HelpRow{"context", "[list] | show [NAME] | use NAME | set NAME OPTION... | delete NAME",
            "keeps options, e.g. servers, under a name, of which one is used by later calls",
            "context set prod --server ws://a:2180,ws://b:2180"},
    HelpRow{"cd", "[PATH]", "sets the node that relative paths begin at (interactive shell)",
            "cd /app"},
    HelpRow{"pwd", "", "prints the node that relative paths begin at (interactive shell)", "pwd"},
    HelpRow{"help", "[COMMAND]", "explains a command, or lists all commands", "help watch"},
    HelpRow{"quit", "", "leaves the shell; so does the end of the input", "quit"},
};

constexpr std::string_view watch_help =
    "--recursive: --scope subtree. --from ZXID: first the changes after this zxid (16 hex "
    "digits).\n"
    "CMD gets the event as JSON on its standard input, and ZABKEEPER_EVENT, ZABKEEPER_EVENT_PATH "
    "and\n"
    "ZABKEEPER_EVENT_ZXID. It runs for one event after the other; --parallel: for several at a "
    "time.\n"
    "If it fails, the next event follows; --exit-on-error: watch ends with its exit code.\n";

constexpr std::string_view await_help =
    "It ends at once if the node is in the state already, but `changed` waits for a change.\n"
    "124: the time has passed. VALUE -: reads the value from standard input.\n";

constexpr std::string_view serve_help =
    "--check CMD: gets the name of a temporary file with the new data as one more argument. If it\n"
    "fails, FILE stays as it was. FILE is replaced as a whole, and stays if the node is deleted.\n";

constexpr std::string_view hold_help =
    "CMD gets ZABKEEPER_LOCK_PATH (the node that holds), ZABKEEPER_LOCK_TOKEN (rises from holder "
    "to\n"
    "holder) and ZABKEEPER_LOCK_GUARD (a condition for `if`, as JSON). Its exit code is passed "
    "on.\n"
    "124: not acquired in time. 125: lost while CMD ran. CMD is then ended with SIGTERM and "
    "SIGKILL.\n";

std::string options_help() {
  std::string text;
  for (const GlobalOption& option : global_options()) {
    const std::string usage = std::string(option.name) + ' ' + std::string(option.argument);
    text += "  " + usage + std::string(18 - usage.size(), ' ') + std::string(option.purpose) + '\n';
  }
  text += "  --version         prints the version\n";
  text += "the environment may have ";
  std::string separator;
  for (const GlobalOption& option : global_options()) {
    if (option.environment.empty()) continue;
    text += separator + std::string(option.environment);
    separator = text.size() - text.rfind('\n') > 80 ? ",\n" : ", ";
  }
  return text + '\n';
}

std::string_view canonical(std::string_view name) {
  if (name == "rm") return "delete";
  if (name == "exists") return "stat";
  if (name == "exit") return "quit";
  return name;
}

std::string details_of_help(const HelpRow& row) {
  std::string text;
  if (row.name == "set" || row.name == "create")
    text += "DATA -: reads the data from standard input\n";
  if (row.name == "await") text += await_help;
  if (row.name == "serve-config") text += serve_help;
  if (row.name == "watch") text += watch_help;
  if (row.name == "lock" || row.name == "elect") text += hold_help;
  return text;
}

std::string help_of(const HelpRow& row) {
  std::string text = "usage: " + std::string(row.name);
  if (!row.arguments.empty()) text += ' ' + std::string(row.arguments);
  text += "\n" + std::string(row.purpose) + "\nexample: " + std::string(row.example) + '\n';
  return text + details_of_help(row);
}

}  // namespace

std::vector<CommandHelp> command_helps() {
  std::vector<CommandHelp> helps;
  for (const HelpRow& row : help_rows) {
    helps.push_back({std::string(row.name), std::string(row.arguments), std::string(row.purpose),
                     std::string(row.example), details_of_help(row)});
  }
  return helps;
}

std::vector<std::string> command_names() {
  std::vector<std::string> names;
  names.reserve(help_rows.size());
  for (const HelpRow& row : help_rows) names.emplace_back(row.name);
  return names;
}

std::string help(const std::string& topic) {
  const auto row = std::ranges::find(help_rows, canonical(topic), &HelpRow::name);
  if (row != help_rows.end()) return help_of(*row);

  std::string text =
      topic.empty() ? ""
                    : "unknown command: " + topic + did_you_mean(topic, command_names()) + "\n\n";
  text += "usage: zab [OPTION...] COMMAND ...   runs one command\n";
  text += "       zab [OPTION...]               reads commands from the terminal or a pipe\n";
  text += "       zab [OPTION...] -             reads commands from standard input\n\n";
  text += options_help();
  text += "\ncommands (`help COMMAND` explains one):\n";
  for (const HelpRow& each : help_rows) {
    text += "  " + std::string(each.name) + std::string(14 - each.name.size(), ' ') +
            std::string(each.purpose) + "\n" + std::string(16, ' ') + "e.g. " +
            std::string(each.example) + '\n';
  }
  text += "\nexit codes:\n" + exit_codes_help();
  return text;
}

}  // namespace shell
