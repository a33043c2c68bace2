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
    HelpRow{"tree", "[-s] [-d DEPTH] [PATH]",
            "draws the tree below a node, -s with sizes, -d only so many levels", "tree -d 2 /app"},
    HelpRow{"find",
            "[--name GLOB] [--owner ephemeral|SESSION] [--older AGE] [--newer AGE]\n"
            "            [--size [+|-]N] [--contains TEXT] [-d DEPTH] [-0] [PATH]",
            "prints the nodes from PATH down for which all tests hold",
            "find --name 'job-*' --older 7d /jobs"},
    HelpRow{"grep", "[-E] [-i] [-n | -l [-0]] PATTERN [PATH]",
            "prints the lines of data that match, of all nodes from PATH down",
            "grep -i timeout /app"},
    HelpRow{"du", "[-d DEPTH] [-n ROWS] [PATH]",
            "adds up the bytes of data and the nodes of each subtree below PATH, largest first",
            "du -d 2 /app"},
    HelpRow{"diff", "A B",
            "compares two subtrees: + only in B, - only in A, ~ other data; each is PATH, or "
            "ws://HOST:PORT/PATH of another ensemble",
            "diff /app ws://backup:2180/app"},
    HelpRow{"top", "[-n ROWS] [--count N] [--interval SECONDS] [-d DEPTH] [--each] [PATH]",
            "shows which paths from PATH down have the most events, every second until interrupted",
            "top -d 2 /"},
    HelpRow{"get", "[-s] [--raw | --pretty] PATH",
            "prints a node's data, -s with its stat; also: cat", "get -s /app/config"},
    HelpRow{"set", "[-v VERSION] [--create] PATH DATA",
            "replaces a node's data, -v only at this version, --create if it does not exist",
            "set -v 3 /app/config v2"},
    HelpRow{"create", "[-e] [-s] [-p] [-c] [--ttl MS] PATH [DATA]",
            "creates a node: -e ephemeral, -s sequential, -p with its parents, -c container",
            "create -p /app/config v1"},
    HelpRow{"delete", "[-r [-f]] [-v VERSION] PATH",
            "deletes a node, -r with all nodes below, -f without a question; also: rm",
            "delete -r /app"},
    HelpRow{"edit", "PATH", "opens a node's data in $VISUAL or $EDITOR, and sets what you save",
            "edit /app/config"},
    HelpRow{"export", "[--no-acls] [--ephemerals] PATH [FILE]",
            "writes a node and all nodes below it to FILE, or to standard output, as lines of JSON",
            "export /app app.jsonl"},
    HelpRow{"import",
            "[--skip-existing | --overwrite] [-p] [--dry-run] [--partial] [--no-acls] FILE [PATH]",
            "creates the nodes of an export, at PATH or where they were",
            "import app.jsonl /restored"},
    HelpRow{"cp", "[-r] [-p] FROM TO",
            "copies a node to another path, -r with all nodes below it, -p creates parents of TO",
            "cp -r /app /app-copy"},
    HelpRow{"mv", "[-p] [--in-parts] FROM TO",
            "moves a node with all nodes below it, in one transaction", "mv /app /old/app"},
    HelpRow{"mirror", "[--delete] [-p] [--once | --dry-run] [--no-acls] FROM TO",
            "makes TO equal to FROM, and keeps it so until interrupted; each is PATH, or "
            "ws://HOST:PORT/PATH of another ensemble",
            "mirror /app ws://backup:2180/app"},
    HelpRow{"acl", "get PATH | set [-r | -v VERSION] PATH ACL...",
            "prints or sets the ACL of a node, -r also of all nodes below",
            "acl set -r /app creator ip:10.0.0.0/8:r"},
    HelpRow{"quota", "get PATH | set [--nodes N | none] [--bytes N | none] PATH",
            "prints or sets the quota of a node with all nodes below it",
            "quota set --nodes 10000 --bytes 50000000 /app"},
    HelpRow{"multi", "[FILE]",
            "carries out a script of operations as one transaction, from FILE or standard input",
            "multi change.txt"},
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
    HelpRow{"status", "[--watch [--interval SECONDS]]",
            "shows each server's role, epoch, zxid, lag, sessions, nodes, free disk and clock; "
            "--watch: again and again, until interrupted",
            "status --watch"},
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
    HelpRow{
        "sessions", "[--at SERVER-ID] | kill ID...",
        "lists all sessions with their clients' addresses, or ends some; the same rules hold as "
        "for handover",
        "sessions kill 0000010000000003"},
    HelpRow{"watches", "[--top N]",
            "shows which paths have the most watches; the same rules hold as for handover",
            "watches --top 5"},
    HelpRow{"checkpoint", "",
            "makes each server take a checkpoint now; the same rules hold as for handover",
            "checkpoint"},
    HelpRow{"doctor", "",
            "tells what is wrong with the servers or will be, and what to do; the exit code is 0 "
            "if there is nothing",
            "doctor"},
    HelpRow{"debug", "[FILE]",
            "writes an archive for a bug report: status, metrics, versions and configurations, "
            "without secrets",
            "debug report.tar.gz"},
    HelpRow{"locks", "[-R] [PATH]",
            "shows who holds a lock, a semaphore or the lead, and who waits; -R of all nodes below",
            "locks -R /locks"},
    HelpRow{"context", "[list] | show [NAME] | use NAME | set NAME OPTION... | delete NAME",
            "keeps options, e.g. servers, under a name, of which one is used by later calls",
            "context set prod --server ws://a:2180,ws://b:2180"},
    HelpRow{"cd", "[PATH]", "sets the node that relative paths begin at (interactive shell)",
            "cd /app"},
    HelpRow{"pwd", "", "prints the node that relative paths begin at (interactive shell)", "pwd"},
    HelpRow{"help", "[COMMAND]", "explains a command, or lists all commands", "help watch"},
    HelpRow{"quit", "", "leaves the shell; so does the end of the input", "quit"},
};

constexpr std::string_view get_help =
    "A terminal gets binary data as a hex dump. --raw: the data alone, byte for byte, also in a "
    "terminal.\n"
    "--pretty: JSON data, indented.\n";

constexpr std::string_view find_help =
    "--name: of the last name of the path, with *, ?, [a-z]. --owner: ephemeral nodes, or those of "
    "a\n"
    "session. --older, --newer: the data were set longer ago than AGE, or later: 90s, 10m, 2h, 7d, "
    "2w.\n"
    "--size: exactly, more (+) or less (-) than N bytes of data; with unit k or M. --contains: of "
    "the\n"
    "data. -d, --depth: only so many levels below PATH. -0, --null: a byte 0 ends each path.\n";

constexpr std::string_view grep_help =
    "-E: PATTERN is an extended regular expression. -i: ignores case. -n: with line numbers. -l: "
    "only\n"
    "paths, with -0 each ends with a byte 0. Exit code 1: nothing matches; other errors have 2.\n";

constexpr std::string_view diff_help =
    "Exit code 0: they are the same. 1: they differ; other errors have 2. It does not compare "
    "ACLs,\n"
    "versions, times and zxids. It gives both ensembles the identities of --auth.\n";

constexpr std::string_view top_help =
    "--count: ends after so many reports. -d, --depth: deeper nodes count for their ancestor at "
    "that\n"
    "depth. job-0000000007 counts for job-*; --each: one by one.\n";

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

constexpr std::string_view export_help =
    "It says at which zxid the export is exact, or that the nodes changed meanwhile. FILE is "
    "there\n"
    "only when it is complete. --no-acls: without ACLs, which takes half the time. --ephemerals:\n"
    "with ephemeral nodes, which `import` creates as persistent ones.\n";

constexpr std::string_view import_help =
    "FILE -: standard input. -p: creates missing parents of PATH. A node that exists is refused;\n"
    "--skip-existing: it stays as it is; --overwrite: it gets the data and the ACL of the export.\n"
    "After an error the same command with --skip-existing goes on. --dry-run: prints what would "
    "be\n"
    "done. --partial: even if the end of the export is missing.\n";

constexpr std::string_view copy_help =
    "TO is the path of the copy itself, and must not exist. Up to 1000 nodes are copied in one\n"
    "transaction. Ephemeral nodes are left out.\n";

constexpr std::string_view move_help =
    "TO is the new path of the node itself, and must not exist. A change that is made meanwhile "
    "is\n"
    "never lost: the move begins again. More than 333 nodes do not fit into one transaction;\n"
    "--in-parts copies and then deletes them.\n";

constexpr std::string_view mirror_help =
    "Prints a line for each node that it creates, sets or deletes. Ephemeral nodes are left\n"
    "out. A node gets the ACL of the original when it is created (not with --no-acls).\n"
    "--delete: also deletes nodes of TO that FROM does not have; without it, such a node is an\n"
    "error. -p: creates missing parents of TO. --once: ends when both are equal. --dry-run: only\n"
    "prints.\n";

constexpr std::string_view create_help =
    "-s: the servers add a number of 10 digits to the name. With /jobs/ the name is the number "
    "alone.\n"
    "--ttl: the node is deleted when it has had no children and no change for so many "
    "milliseconds.\n";

constexpr std::string_view du_help =
    "-d, --depth: so many levels below PATH, default 1; 0: the total alone.\n"
    "-n: so many rows, default 1000.\n";

constexpr std::string_view acl_help =
    "ACL: open (everybody may do everything), read-only (everybody may read), creator (this "
    "client\n"
    "may do everything, with the identities of --auth), or SCHEME:ID:PERMS. PERMS are letters:\n"
    "c create and d delete children, r read, w write, a set the ACL. Several ACLs are added up.\n"
    "After `acl set PATH read-only`, only the identity of superDigest may change the node or its "
    "ACL:\n"
    "`creator read-only` keeps that right for this client.\n"
    "-v: only if the ACL has this version (aversion of `stat`).\n";

constexpr std::string_view quota_help =
    "none: removes the limit. A limit that is not named stays. A write beyond a limit is refused\n"
    "with QuotaExceeded.\n";

constexpr std::string_view multi_help =
    "A line is an operation: create, set, delete, get or ls, with their options, or check.\n"
    "    if /lock czxid=0000010000000003     before the operations: all must hold, or nothing is "
    "done\n"
    "    create -s /jobs/job- 'two words'\n"
    "    check /app exists version=3\n"
    "    set /app @file\n"
    "    else                                instead, if a guard does not hold\n"
    "    get /lock\n"
    "Tests: exists, gone, version=N, czxid=ZXID, mzxid=ZXID, owner=SESSION|none, data=DATA.\n";

constexpr std::string_view edit_help =
    "If somebody changes the node meanwhile, edit shows the change and sets nothing. Your text is\n"
    "kept in a file.\n";

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
  if (name == "cat") return "get";
  if (name == "exists") return "stat";
  if (name == "exit") return "quit";
  return name;
}

std::string details_of_help(const HelpRow& row) {
  std::string text;
  if (row.name == "set" || row.name == "create")
    text +=
        "DATA -: reads the data from standard input. @FILE: from a file. @@x: the data are @x.\n";
  if (row.name == "create") text += create_help;
  if (row.name == "cp") text += copy_help;
  if (row.name == "mv") text += move_help;
  if (row.name == "mirror") text += mirror_help;
  if (row.name == "acl") text += acl_help;
  if (row.name == "quota") text += quota_help;
  if (row.name == "multi") text += multi_help;
  if (row.name == "edit") text += edit_help;
  if (row.name == "export") text += export_help;
  if (row.name == "import") text += import_help;
  if (row.name == "get") text += get_help;
  if (row.name == "du") text += du_help;
  if (row.name == "find") text += find_help;
  if (row.name == "grep") text += grep_help;
  if (row.name == "diff") text += diff_help;
  if (row.name == "top") text += top_help;
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
