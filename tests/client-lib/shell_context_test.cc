#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <sys/stat.h>

#include <doctest/doctest.h>

#include "tools/shell/context_file.h"
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
  const std::vector<std::string> commands{"status", "stat", "set", "get", "ls", "delete", "watch"};
  struct Row {
    const char* word;
    const char* meant;
  };
  for (const Row& row : {Row{"statsu", "status"}, Row{"sta", "stat"}, Row{"gte", "get"},
                         Row{"sl", "ls"}, Row{"configuration", ""}, Row{"dlete", "delete"},
                         Row{"wacth", "watch"}, Row{"x", ""}, Row{"", ""}}) {
    CAPTURE(row.word);
    CHECK(nearest(row.word, commands).value_or("") == row.meant);
  }
  CHECK(did_you_mean("gett", commands) == "; did you mean `get`?");
  CHECK(did_you_mean("frobnicate", commands).empty());
}

}  // namespace
}  // namespace shell
