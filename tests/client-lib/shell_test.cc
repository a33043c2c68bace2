#include <chrono>
#include <cstdlib>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tools/shell/child.h"
#include "tools/shell/command_line.h"
#include "tools/shell/exit_codes.h"
#include "tools/shell/only_request.h"
#include "tools/shell/print.h"
#include "tools/shell/words.h"

namespace shell {
namespace {

CommandLine parsed(const std::string& line) {
  const auto words = split_words(line);
  REQUIRE(words.has_value());
  auto result = parse_command_line(*words, "1.2.3");
  if (const auto* notice = std::get_if<Notice>(&result)) FAIL(line << ": " << notice->text);
  return std::get<CommandLine>(result);
}

Notice notice_for(const std::string& line) {
  const auto words = split_words(line);
  REQUIRE(words.has_value());
  auto result = parse_command_line(*words, "1.2.3");
  REQUIRE_MESSAGE(std::holds_alternative<Notice>(result), line);
  return std::get<Notice>(result);
}

template <typename T>
T command(const std::string& line) {
  const CommandLine result = parsed(line);
  REQUIRE(result.command);
  REQUIRE(std::holds_alternative<T>(*result.command));
  return std::get<T>(*result.command);
}

TEST_CASE("a line is split into words as in other shells") {
  struct Row {
    const char* line;
    Words words;
  };
  for (const Row& row : {
           Row{"", {}},
           Row{"  ls \t /a\r", {"ls", "/a"}},
           Row{R"(set /a "two words")", {"set", "/a", "two words"}},
           Row{R"(set /a 'a "quoted" \ thing')", {"set", "/a", R"(a "quoted" \ thing)"}},
           Row{R"(set /a "say \"hi\"")", {"set", "/a", R"(say "hi")"}},
           Row{R"(a\ b c)", {"a b", "c"}},
           Row{R"(set /a "")", {"set", "/a", ""}},
           Row{R"(x"y"'z')", {"xyz"}},
       }) {
    CAPTURE(row.line);
    const auto words = split_words(row.line);
    REQUIRE(words.has_value());
    CHECK(*words == row.words);
  }
  CHECK(split_words("set /a 'open").has_error());
  CHECK(split_words("set /a \"open\\\"").has_error());
}

TEST_CASE("relative paths are resolved against the current node") {
  struct Row {
    const char* cwd;
    const char* path;
    const char* resolved;
  };
  for (const Row& row : {
           Row{"/", ".", "/"},
           Row{"/", "a", "/a"},
           Row{"/a/b", "c/d", "/a/b/c/d"},
           Row{"/a/b", "..", "/a"},
           Row{"/a/b", "../../..", "/"},
           Row{"/a/b", "/c/", "/c"},
           Row{"/a", "./b/../c//d", "/a/c/d"},
           Row{"/a", "", "/a"},
       }) {
    CAPTURE(row.path);
    CHECK(resolve(row.cwd, row.path) == row.resolved);
  }
  CHECK(join("/", "a") == "/a");
  CHECK(join("/a", "b") == "/a/b");
}

TEST_CASE("options of the program may be before or after the command") {
  unsetenv("ZABKEEPER_SERVERS");
  CHECK(parsed("").servers == "ws://127.0.0.1:2180");
  CHECK(!parsed("").command);
  CHECK(parsed("").common.format == Format::table);
  const CommandLine line = parsed("--server a,b ls --json --timeout-ms 500 --auth digest:kim:pass");
  CHECK(line.servers == "a,b");
  CHECK(line.common.format == Format::json);
  CHECK(line.timeout_ms == 500);
  CHECK(line.auth == std::vector<wire::AuthRequest>{{"digest", "kim:pass"}});

  setenv("ZABKEEPER_SERVERS", "ws://c:1", 1);
  CHECK(parsed("ls").servers == "ws://c:1");
  CHECK(parsed("--server d ls").servers == "d");
  unsetenv("ZABKEEPER_SERVERS");
}

TEST_CASE("options that are missing come from the environment") {
  const std::vector<std::pair<const char*, const char*>> variables{
      {"ZABKEEPER_TIMEOUT", "2.5"}, {"ZABKEEPER_TIMEOUT_MS", "700"},
      {"ZABKEEPER_OUTPUT", "raw"},  {"ZABKEEPER_QUIET", "1"},
      {"ZABKEEPER_SERVERS", ""},    {"ZABKEEPER_AUTH", "digest:kim:a,b\n\nx:y\n"}};
  for (const auto& [name, value] : variables) setenv(name, value, 1);
  const CommandLine line = parsed("get /a");
  CHECK(line.servers == "ws://127.0.0.1:2180");  // an empty variable is none
  CHECK(line.common.timeout == std::chrono::milliseconds(2'500));
  CHECK(line.timeout_ms == 700);
  CHECK(line.common.format == Format::raw);
  CHECK(line.common.quiet);
  CHECK(line.auth == std::vector<wire::AuthRequest>{{"digest", "kim:a,b"}, {"x", "y"}});

  const CommandLine other = parsed("get /a --timeout 1 --output jsonl --auth a:b");
  CHECK(other.common.timeout == std::chrono::seconds(1));
  CHECK(other.common.format == Format::jsonl);
  CHECK(other.auth == std::vector<wire::AuthRequest>{{"a", "b"}});

  setenv("ZABKEEPER_QUIET", "perhaps", 1);
  CHECK(notice_for("get /a").text.find("ZABKEEPER_QUIET: must be 1 or 0") != std::string::npos);
  setenv("ZABKEEPER_QUIET", "0", 1);
  CHECK(!parsed("get /a").common.quiet);
  setenv("ZABKEEPER_AUTH", "secret", 1);
  CHECK(notice_for("get /a").text.find("secret") == std::string::npos);
  for (const auto& [name, value] : variables) unsetenv(name);
}

TEST_CASE("--timeout of the program is that of commands that have their own") {
  using std::chrono::seconds;
  CHECK(command<Await>("--timeout 3 await /a exists").timeout == seconds(3));
  CHECK(command<Await>("--timeout 3 await --timeout 1 /a exists").timeout == seconds(1));
  CHECK(command<Lock>("--timeout 3 lock --try /l -- true").timeout == seconds(0));
  CHECK(command<Elect>("elect /e --timeout 3 -- true").timeout == seconds(3));
  CHECK(!command<Elect>("elect /e -- true").timeout);
  CHECK(parsed("get /a --timeout 1e300").common.timeout > std::chrono::hours(24 * 364));

  LineParser parser({Format::json, true, seconds(4)});
  const auto line = std::get<CommandLine>(parser.parse({"get", "/a"}));
  CHECK(line.common.format == Format::json);
  CHECK(line.common.quiet);
  CHECK(line.common.timeout == seconds(4));
  const auto own = std::get<CommandLine>(parser.parse({"get", "/a", "--output", "table"}));
  CHECK(own.common.format == Format::table);
  CHECK(std::get<CommandLine>(parser.parse({"get", "/a"})).common.format == Format::json);
}

TEST_CASE("the options of each command are parsed") {
  CHECK(command<Ls>("ls").path == ".");
  CHECK(command<Ls>("ls -l -R /a").recursive);
  CHECK(command<Ls>("ls -lR /a").details);
  CHECK(command<Get>("get -s /a").stat);
  CHECK(command<Set>("set -v 3 /a v2").version == 3);
  CHECK(command<Set>("set --create /a v2").create);
  CHECK(command<Set>("set /a -").data == "-");
  CHECK(command<Set>("set /a -- -5").data == "-5");
  const Create create = command<Create>("create -e -s -p /a/b 'some data'");
  CHECK(create.path == "/a/b");
  CHECK(create.data == "some data");
  CHECK(create.ephemeral);
  CHECK(create.sequential);
  CHECK(create.parents);
  CHECK(command<Create>("create --ttl 500 /a").ttl_ms == 500);
  CHECK(command<Create>("create /a").data.empty());
  CHECK(command<Delete>("delete -r /a").recursive);
  CHECK(command<Delete>("rm -v 2 /a").version == 2);
  CHECK(command<ShowStat>("exists /a").path == "/a");
  CHECK(command<Watch>("watch /a").scope == wire::WatchScope::node);
  CHECK(command<Watch>("watch --scope subtree /a").scope == wire::WatchScope::subtree);
  CHECK(command<Watch>("watch --scope children --count 3 /a").count == 3);
  CHECK(command<Watch>("watch --once /a").count == 1);
  CHECK(command<Metrics>("metrics zabkeeper_log").prefix == "zabkeeper_log");
  CHECK(command<Handover>("handover 2").to == 2);
  CHECK(!command<Handover>("handover").to);
  CHECK(!command<Sessions>("sessions").at);
  CHECK(command<Sessions>("sessions --at 2").at == 2);
  CHECK(command<Sessions>("sessions kill 000001000000000a 0000010000000002").kill ==
        std::vector<wire::SessionId>{{0x1000000000a}, {0x10000000002}});
  CHECK(command<Watches>("watches --top 5").top == 5);
  CHECK(!command<Status>("status").watch);
  CHECK(command<Status>("status --watch").watch == std::chrono::seconds(1));
  CHECK(command<Status>("status --interval 0.25 --watch").watch == std::chrono::milliseconds(250));
  CHECK(command<Status>("status --watch --interval 2").watch == std::chrono::seconds(2));
  CHECK(parsed("checkpoint").command);
  CHECK(parsed("doctor").command);
  CHECK(command<Debug>("debug report.tar.gz").file == "report.tar.gz");
  CHECK(command<Locks>("locks -R /locks").recursive);
  CHECK(command<Help>("help watch").topic == "watch");
  for (const char* line :
       {"tree", "count", "ephemerals", "sync", "whoami", "ping", "status", "quit", "cd", "pwd"}) {
    CHECK(parsed(line).command);
  }
}

TEST_CASE("a line is parsed as if it was the first of its command") {
  LineParser parser;
  const auto parse = [&](const char* text) {
    auto parsed = parser.parse(*split_words(text));
    REQUIRE(std::holds_alternative<CommandLine>(parsed));
    return std::get<CommandLine>(std::move(parsed));
  };
  CHECK(std::get<Set>(*parse("set -v 3 --create /a v1 --json").command).version == 3);
  const CommandLine second = parse("set /b v2");
  CHECK(second.common.format == Format::table);
  const Set& set = std::get<Set>(*second.command);
  CHECK(set.path == "/b");
  CHECK(set.data == "v2");
  CHECK(set.version == wire::any_version);
  CHECK(!set.create);
  CHECK(std::get<Create>(*parse("create --ttl 5 -e /a x").command).ttl_ms == 5);
  CHECK(!std::get<Create>(*parse("create /a").command).ttl_ms);
  CHECK(std::get<Create>(*parse("create /a").command).data.empty());
  CHECK(std::get<Set>(*parse("set get create").command).data == "create");
  const auto wrong = parser.parse({"set", "/a"});
  CHECK(std::get<Notice>(wrong).text.find("DATA is required") != std::string::npos);
  CHECK(std::get<Set>(*parse("set /c v3").command).path == "/c");
  CHECK(std::holds_alternative<Ls>(*parse("ls /a").command));
}

TEST_CASE("only commands of one request can be sent before it is their turn") {
  const auto only = [](const char* text) {
    return only_request(*parsed(text).command, "/cwd").has_value();
  };
  for (const char* line : {"get a", "set a b", "create -e -s a", "delete a", "rm -v 1 a", "stat a",
                           "exists a", "count"}) {
    CAPTURE(line);
    CHECK(only(line));
  }
  for (const char* line : {"set a -", "create a -", "delete -r a", "ls", "cd a", "ping", "tree",
                           "watch a", "await a exists"}) {
    CAPTURE(line);
    CHECK(!only(line));
  }
  const auto get = only_request(*parsed("get a/../b").command, "/cwd");
  CHECK(std::get<wire::GetRequest>(*get).path == "/cwd/b");
  const auto path_of_create = [](const std::string& text) {
    return std::get<wire::CreateRequest>(*only_request(*parsed(text).command, "/cwd")).path;
  };
  CHECK(path_of_create("create a/") == "/cwd/a");
  CHECK(path_of_create("create -s a/") == "/cwd/a/");
  CHECK(path_of_create("create -s /") == "/");
}

TEST_CASE("a dash alone asks for a script") {
  CHECK(parsed("-").is_script);
  CHECK(parsed("--json --server x -").is_script);
  CHECK(!parsed("--json").is_script);
  CHECK(!parsed("set /a -").is_script);
  CHECK(std::get<Set>(*parsed("set /a -").command).data == "-");
}

TEST_CASE("a command that runs a program gets its words as they are") {
  const Lock lock = command<Lock>("--json lock --limit 3 /l --timeout 1.5 -- make --json -- -j 2");
  CHECK(lock.path == "/l");
  CHECK(lock.limit == 3);
  CHECK(lock.timeout == std::chrono::milliseconds(1'500));
  CHECK(lock.program == Words{"make", "--json", "--", "-j", "2"});
  CHECK(!command<Lock>("lock /l -- true").timeout);
  CHECK(command<Lock>("lock --try /l -- true").timeout == std::chrono::milliseconds(0));
  CHECK(command<Lock>("lock --timeout 0.0001 /l -- true").timeout == std::chrono::milliseconds(1));
  CHECK(command<Lock>("lock --timeout 1e300 /l -- true").timeout > std::chrono::hours(24 * 364));
  CHECK(command<Elect>("elect /e -- true").value.empty());
  CHECK(command<Elect>("elect /e me -- true").value == "me");
  CHECK(command<Elect>("elect --observe /e").observe);
  const Watch watch = command<Watch>("watch --recursive --from 000000010000000a /a -- cat -n");
  CHECK(watch.scope == wire::WatchScope::subtree);
  CHECK(watch.from == wire::Zxid::from_bits(0x1'0000'000a));
  CHECK(watch.program == Words{"cat", "-n"});
  CHECK(command<Watch>("watch --parallel --exit-on-error /a -- cat").parallel);
  CHECK(command<Watch>("watch /a").program.empty());
  const ServeConfig serve =
      command<ServeConfig>(R"(serve-config --check "nginx -t 'a b'" /web f -- nginx -s reload)");
  CHECK(serve.path == "/web");
  CHECK(serve.file == "f");
  CHECK(serve.check == Words{"nginx", "-t", "a b"});
  CHECK(serve.program == Words{"nginx", "-s", "reload"});
  CHECK(command<ServeConfig>("serve-config /web f").program.empty());
  // The name of the command is looked for behind the options of the program.
  CHECK(command<Lock>("--server x --timeout-ms 5 --auth a:b lock /l -- true").path == "/l");
  CHECK(command<Set>("set lock -- -5").data == "-5");
}

TEST_CASE("await has a state, and a value if the state is equals") {
  CHECK(command<Await>("await /a exists").state == Await::State::exists);
  CHECK(command<Await>("await /a gone --timeout 2").timeout == std::chrono::seconds(2));
  CHECK(command<Await>("await /a changed").state == Await::State::changed);
  CHECK(command<Await>("await /a equals v1").value == "v1");
  CHECK(command<Await>("await /a equals ''").value.empty());
  CHECK(command<Await>("await /a equals -- -5").value == "-5");
}

TEST_CASE("wrong usage is explained, with exit code 2") {
  struct Row {
    const char* line;
    const char* says;
  };
  for (const Row& row : {
           Row{"frob", "unknown command: frob"},
           Row{"get", "PATH is required"},
           Row{"set /a", "DATA is required"},
           Row{"set -v soon /a x", "usage: set"},
           Row{"get /a /b", "not expected: /b"},
           Row{"get /a | wc", "not expected: | wc; a line is one command"},
           Row{"ls a b c", "not expected: b c"},
           Row{"ls -l -0", "excludes"},
           Row{"set -v 1.x /a b", "-v: '1.x' is not a valid value"},
           Row{"du -d -1", "--depth: '-1' is not a valid value"},
           Row{"find --name", "--name needs a value"},
           Row{"acl /a", "acl: get or set is required"},
           Row{"watch --scope all /a", "usage: watch"},
           Row{"watch --once --count 2 /a", "excludes"},
           Row{"handover two", "usage: handover"},
           Row{"status --interval 2", "--watch"},
           Row{"status --watch --interval 0", "--interval"},
           Row{"sessions kill", "ID is required"},
           Row{"sessions kill 12", "16 hex digits: 12"},
           Row{"sessions end", "usage: sessions"},
           Row{"watches --top 101", "--top"},
           Row{"lock /l", "-- CMD is required"},
           Row{"lock /l --", "-- CMD is required"},
           Row{"lock /l true", "not expected: true; `--` begins CMD"},
           Row{"lock -- true", "PATH is required"},
           Row{"lock --limit 0 /l -- true", "--limit"},
           Row{"lock --timeout -1 /l -- true", "--timeout"},
           Row{"lock --timeout soon /l -- true", "--timeout"},
           Row{"lock --try --timeout 1 /l -- true", "excludes"},
           Row{"elect /e", "-- CMD is required"},
           Row{"elect --observe /e -- true", "--observe excludes CMD"},
           Row{"watch --recursive --scope node /a", "excludes"},
           Row{"watch --from 12 /a", "16 hex digits"},
           Row{"watch --parallel /a", "need -- CMD"},
           Row{"watch /a --", "-- CMD is required"},
           Row{"get /a -- cat", "usage: get"},
           Row{"await /a", "STATE is required"},
           Row{"await /a here", "STATE: 'here' is not a valid value"},
           Row{"await /a equals", "VALUE is required by equals"},
           Row{"await /a gone v1", "VALUE is required by equals"},
           Row{"serve-config /a", "FILE is required"},
           Row{"serve-config --check \"'open\" /a f", "a quote is not closed"},
           Row{"serve-config --check '' /a f", "must not be empty"},
           Row{"serve-config /a f --", "-- CMD is required"},
           Row{"--timeout-ms 0 ls", "--timeout-ms"},
           Row{"--timeout 0 ls", "--timeout: must be a number of seconds above 0"},
           Row{"ls --timeout nan", "--timeout"},
           Row{"--output xml ls", "must be table, json, jsonl or raw"},
           Row{"--auth nocolon ls", "SCHEME:TOKEN"},
           Row{"ls --frob", "--frob"},
       }) {
    CAPTURE(row.line);
    const Notice notice = notice_for(row.line);
    CHECK(notice.exit_code == exit_usage);
    CHECK_MESSAGE(notice.text.find(row.says) != std::string::npos, notice.text);
  }
}

TEST_CASE("help and --version print a text and exit with 0") {
  CHECK(notice_for("--version").text == "zab 1.2.3\n");
  CHECK(notice_for("--version").exit_code == exit_ok);
  CHECK(notice_for("--help").text == help(""));
  CHECK(notice_for("watch --help").text == help("watch"));
  for (const std::string& name : command_names()) {
    CAPTURE(name);
    CHECK(help(name).starts_with("usage: " + name));
    CHECK(help("").find("\n  " + name + " ") != std::string::npos);
  }
  CHECK(help("rm") == help("delete"));
  CHECK(help("frob").starts_with("unknown command: frob"));
}

TEST_CASE("errors have a text for people and an exit code for scripts") {
  using wire::ErrorCode;
  CHECK(error_text({ErrorCode::no_node, "x"}, "/a/b") == "/a/b: no such node (NoNode)");
  CHECK(error_text({ErrorCode::throttled, "wait a little"}, "/a") == "wait a little (Throttled)");
  CHECK(exit_code(ErrorCode::no_node, Effect::read) == exit_no_node);
  CHECK(exit_code(ErrorCode::connection_loss, Effect::read) == exit_no_server);
  CHECK(exit_code(ErrorCode::connection_loss, Effect::write) == exit_unknown_outcome);
  CHECK(exit_code(ErrorCode::not_ready, Effect::write) == exit_no_server);
}

TEST_CASE("help lists every exit code") {
  const std::string codes = exit_codes_help();
  for (const int code : {exit_ok, exit_other, exit_usage, exit_no_node, exit_node_exists,
                         exit_bad_version, exit_not_empty, exit_no_auth, exit_no_server,
                         exit_unknown_outcome, exit_output, exit_timeout, exit_lost,
                         exit_not_executable, exit_not_found, exit_interrupted, exit_closed_pipe}) {
    CAPTURE(code);
    CHECK(codes.find("  " + std::to_string(code) + ' ') != std::string::npos);
  }
  CHECK(help("").ends_with(codes));
}

TEST_CASE("an event is printed as one line") {
  using wire::EventKind;
  struct Row {
    wire::WatchEvent event;
    const char* text;
  };
  for (const Row& row : {
           Row{{{"1"}, EventKind::changed, "/app/config", {}, "v2", {}}, "changed /app/config v2"},
           Row{{{"1"}, EventKind::created, "/a", {}, "", {}}, "created /a"},
           Row{{{"1"}, EventKind::deleted, "/a", {}, {}, {}}, "deleted /a"},
           Row{{{"1"}, EventKind::children, "/a", {}, {}, {}}, "children /a"},
           Row{{{"1"}, EventKind::changed, "/a", {}, "two\nlines", {}},
               R"(changed /a "two\nlines")"},
           Row{{{"1"}, EventKind::changed, "/a", {}, "\xff", {}}, "changed /a (1 bytes)"},
           Row{{{"1"}, EventKind::resync, "", {{1}, 9}, {}, {}},
               "resync (events were missed up to 1:9)"},
       }) {
    CHECK(event_text(row.event) == row.text);
  }
}

TEST_CASE("tables are aligned, times are UTC") {
  CHECK(table({{"A", "N"}, {"long", "7"}, {"b", "10"}}, {false, true}) ==
        "A      N\nlong   7\nb     10\n");
  CHECK(seconds_text(std::chrono::milliseconds(2'000)) == "2");
  CHECK(seconds_text(std::chrono::milliseconds(1'050)) == "1.050");
  CHECK(time_text(0) == "1970-01-01 00:00:00.000");
  CHECK(time_text(1'700'000'000'123) == "2023-11-14 22:13:20.123");
}

}  // namespace
}  // namespace shell
