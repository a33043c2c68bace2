#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <sys/stat.h>

#include <doctest/doctest.h>

#include "tools/shell/completion.h"
#include "tools/shell/context_file.h"
#include "tools/shell/generated.h"
#include "tools/shell/grammar.h"
#include "tools/shell/line_history.h"
#include "tools/shell/nearest.h"

namespace shell {
namespace {

class ConfigDirectory {
 public:
  ConfigDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "zab-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    directory_ = name;
  }
  ~ConfigDirectory() { std::filesystem::remove_all(directory_); }
  ConfigDirectory(const ConfigDirectory&) = delete;
  ConfigDirectory& operator=(const ConfigDirectory&) = delete;

  [[nodiscard]] std::string file() const { return (directory_ / "sub" / "config.toml").string(); }
  void write(const std::string& text, mode_t mode = 0600) const {
    std::filesystem::create_directories(directory_ / "sub");
    std::ofstream(file()) << text;
    REQUIRE(::chmod(file().c_str(), mode) == 0);
  }

 private:
  std::filesystem::path directory_;
};

std::string value_of(const SettingTexts& texts, std::string_view option, std::size_t at = 0) {
  const auto found = texts.find(option);
  return found == texts.end() || found->second.size() <= at ? "" : found->second[at].value;
}

std::string error_of_file(const ConfigDirectory& directory, const std::string& context = {}) {
  try {
    const ContextFile file(directory.file());
    if (!context.empty()) (void)file.settings_of(context);
  } catch (const WrongSetting& wrong) {
    return wrong.what();
  }
  return {};
}

TEST_CASE("contexts are written to a file and read from it") {
  const ConfigDirectory directory;
  ContextFile file(directory.file());
  CHECK(file.names().empty());
  CHECK(!file.current());
  file.set("prod", {{"--server", {{"ws://a:1", ""}}}, {"--auth", {{"a:b", ""}, {"c:d", ""}}}});
  file.set("test", {{"--timeout", {{"2.5", ""}}}});
  file.use("prod");
  file.save();

  ContextFile read(directory.file());
  CHECK(read.names() == std::vector<std::string>{"prod", "test"});
  CHECK(read.current() == "prod");
  CHECK(value_of(read.settings_of("prod"), "--server") == "ws://a:1");
  CHECK(value_of(read.settings_of("prod"), "--auth", 1) == "c:d");
  CHECK(value_of(read.settings_of("test"), "--timeout") == "2.5");
  read.set("prod", {{"--auth", {{"", ""}}}});
  CHECK(!read.settings_of("prod").contains("--auth"));
  CHECK(value_of(read.settings_of("prod"), "--server") == "ws://a:1");
  read.remove("prod");
  CHECK(!read.current());
  CHECK(read.names() == std::vector<std::string>{"test"});
}

TEST_CASE("a context may have numbers, and a list of servers") {
  const ConfigDirectory directory;
  directory.write(
      "[contexts.a]\nservers = ['ws://a', 'ws://b']\ntimeout = 1.5\ntimeout-ms = 700\n");
  const SettingTexts texts = ContextFile(directory.file()).settings_of("a");
  CHECK(value_of(texts, "--server") == "ws://a,ws://b");
  CHECK(value_of(texts, "--timeout") == "1.5");
  CHECK(value_of(texts, "--timeout-ms") == "700");
}

TEST_CASE("a wrong file of contexts is refused with its name") {
  const ConfigDirectory directory;
  struct Row {
    const char* text;
    const char* says;
  };
  for (const Row& row :
       {Row{"x = [", "line 1"}, Row{"[contexts.a]\nserver = 'x'", "there are servers"},
        Row{"[contexts.a]\nservers = {}", "servers of the context a"},
        Row{"[contexts.b]", "no context a"}, Row{"contexts = 3", "no context a"}}) {
    CAPTURE(row.text);
    directory.write(row.text);
    const std::string error = error_of_file(directory, "a");
    CHECK_MESSAGE(error.find(row.says) != std::string::npos, error);
  }
}

TEST_CASE("a file with secrets that others may read is refused") {
  const ConfigDirectory directory;
  for (const mode_t mode : {0640U, 0604U, 0620U, 0602U}) {
    CAPTURE(mode);
    directory.write("[contexts.a]\nauth = ['digest:kim:geheim']\n", mode);
    CHECK(error_of_file(directory).find("chmod 600 " + directory.file()) != std::string::npos);
    directory.write("[contexts.a]\nservers = 'ws://a'\n", mode);
    CHECK(error_of_file(directory).empty());
  }
  directory.write("[contexts.a]\nauth = ['digest:kim:geheim']\n", 0600);
  CHECK(error_of_file(directory).empty());
}

TEST_CASE("an identity is printed without its secret") {
  CHECK(without_secret("digest:kim:geheim") == "digest:kim:***");
  CHECK(without_secret("digest:kim:a:b") == "digest:kim:***");
  CHECK(without_secret("digest:geheim") == "***");
  CHECK(without_secret("token:geheim:x") == "token:***");
  CHECK(without_secret("geheim") == "***");
}

TEST_CASE("the nearest word is the one that was probably meant") {
  const std::vector<std::string> commands{"status", "stat",   "set",   "get",
                                          "ls",     "delete", "watch", "top"};
  struct Row {
    const char* word;
    const char* meant;
  };
  for (const Row& row :
       {Row{"statsu", "status"}, Row{"gte", "get"}, Row{"sl", "ls"}, Row{"configuration", ""},
        Row{"dlete", "delete"}, Row{"wacth", "watch"}, Row{"x", ""}, Row{"", ""}, Row{"foo", ""}}) {
    CAPTURE(row.word);
    CHECK(nearest(row.word, commands).value_or("") == row.meant);
  }
  CHECK(did_you_mean("gett", commands) == "; did you mean `get`?");
  CHECK(did_you_mean("frobnicate", commands).empty());
}

TEST_CASE("a wrong command or option is answered with the nearest one") {
  struct Row {
    Words words;
    const char* says;
  };
  for (const Row& row :
       {Row{{"statsu"}, "unknown command: statsu; did you mean `status`?"},
        Row{{"watch", "--recursiv", "/a"}, "did you mean `--recursive`?"},
        Row{{"ls", "--jsn"}, "did you mean `--json`?"},
        Row{{"--sever", "x", "ls"}, "did you mean `--server`?"},
        Row{{"context", "lst"}, "did you mean `list`?"}, Row{{"statu"}, "did you mean `status`?"},
        Row{{"rmr", "/a"}, "unknown command: rmr; did you mean `delete -r`?"},
        Row{{"getAcl", "/a"}, "did you mean `acl get`?"},
        Row{{"frobnicate"}, "unknown command: frobnicate\n"}}) {
    const auto parsed = parse_command_line(row.words, "1");
    REQUIRE(std::holds_alternative<Notice>(parsed));
    const std::string& text = std::get<Notice>(parsed).text;
    CHECK_MESSAGE(text.find(row.says) != std::string::npos, text);
    CHECK(std::get<Notice>(parsed).exit_code == 2);
  }
  CHECK(help("wacth").find("did you mean `watch`?") != std::string::npos);
}

TEST_CASE("a begun word is found behind quotes and backslashes") {
  struct Row {
    const char* line;
    std::size_t before;
    std::size_t at;
    const char* word;
  };
  for (const Row& row : {Row{"", 0, 0, ""}, Row{"ge", 0, 0, "ge"}, Row{"get ", 1, 4, ""},
                         Row{"get /a", 1, 4, "/a"}, Row{R"(get /a\ b/c)", 1, 4, "/a b/c"},
                         Row{"get '/a b", 1, 4, "/a b"}, Row{"set '/a b' x", 2, 11, "x"}}) {
    CAPTURE(row.line);
    const BegunWord begun = begun_word(row.line);
    CHECK(begun.before.size() == row.before);
    CHECK(begun.at == row.at);
    CHECK(begun.word == row.word);
  }
  CHECK(typed_word("/a b'c") == R"(/a\ b\'c)");
}

TEST_CASE("Tab offers what may follow") {
  const Grammar line = line_grammar();
  const auto offer = [&](const char* text) { return offer_for(line, begun_word(text)); };
  CHECK(offer("sta").words == std::vector<std::string>{"stat", "status"});
  CHECK(offer("help wat").words == std::vector<std::string>{"watch", "watches"});
  CHECK(offer("watch --rec").words == std::vector<std::string>{"--recursive"});
  CHECK(offer("get --js").words == std::vector<std::string>{"--json"});
  CHECK(offer("get --server").words.empty());  // an option of the program
  CHECK(offer("ls --output j").words == std::vector<std::string>{"json", "jsonl"});
  CHECK(offer("context u").words == std::vector<std::string>{"use"});
  CHECK(offer("await /a g").words == std::vector<std::string>{"gone"});
  struct Row {
    const char* line;
    Offer::Names names;
  };
  for (const Row& row :
       {Row{"get /a", Offer::Names::nodes}, Row{"get -s /a", Offer::Names::nodes},
        Row{"set -v 3 /a", Offer::Names::nodes}, Row{"set -v /a", Offer::Names::none},
        Row{"set /a ", Offer::Names::none}, Row{"get /a /b", Offer::Names::none},
        Row{"serve-config /a f", Offer::Names::files}, Row{"lock /a -- ma", Offer::Names::files},
        Row{"frob /a", Offer::Names::none}}) {
    CAPTURE(row.line);
    CHECK(offer(row.line).names == row.names);
    CHECK(offer(row.line).words.empty());
  }
}

TEST_CASE("each command is in the help, the manual page and the completion scripts") {
  const Grammar program = program_grammar();
  for (const CommandHelp& each : command_helps()) {
    CAPTURE(each.name);
    CHECK(find_command(program, each.name) != nullptr);
    CHECK(!each.example.empty());
    CHECK(each.example.starts_with(each.name));
    CHECK(generated("man")->find("Example: \\fBzab ") != std::string::npos);
    CHECK(generated("bash")->find(each.name) != std::string::npos);
    CHECK(generated("zsh")->find("'" + each.name + ":") != std::string::npos);
  }
  CHECK(generated("bash")->find("--recursive") != std::string::npos);
  CHECK(!generated("fish"));
}

TEST_CASE("lines with secrets are not kept in the history") {
  for (const char* line :
       {"auth digest:kim:x", "  auth", "whoami --auth a:b", "x digest:kim:y", " "}) {
    CAPTURE(line);
    CHECK(!may_be_kept(line));
  }
  for (const char* line : {"get /auth", "authors", "ls -l /a"}) {
    CAPTURE(line);
    CHECK(may_be_kept(line));
  }
}

}  // namespace
}  // namespace shell
