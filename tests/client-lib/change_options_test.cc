#include <string>
#include <variant>

#include <doctest/doctest.h>

#include "tools/shell/command_line.h"
#include "tools/shell/exit_codes.h"
#include "tools/shell/words.h"

namespace shell {
namespace {

template <typename T>
T change(const std::string& line) {
  auto result = parse_line(*split_words(line));
  if (const auto* notice = std::get_if<Notice>(&result)) FAIL(line << ": " << notice->text);
  return std::get<T>(*std::get<CommandLine>(result).command);
}

bool is_wrong_usage(const std::string& line) {
  const auto result = parse_line(*split_words(line));
  const auto* notice = std::get_if<Notice>(&result);
  return notice != nullptr && notice->exit_code == exit_usage;
}

TEST_CASE("the options of export and import") {
  CHECK(change<Export>("export /a").file == "-");
  const auto exported = change<Export>("export --no-acls --ephemerals /a file");
  CHECK(exported.path == "/a");
  CHECK(exported.file == "file");
  CHECK(exported.no_acls);
  CHECK(exported.ephemerals);
  const auto imported = change<Import>("import --dry-run -p --partial --overwrite - /b");
  CHECK(imported.file == "-");
  CHECK(imported.path == "/b");
  CHECK(imported.existing == Existing::overwrite);
  CHECK(imported.dry_run);
  CHECK(imported.parents);
  CHECK(imported.partial);
  CHECK(change<Import>("import f").existing == Existing::refuse);
  CHECK(change<Import>("import f --skip-existing").existing == Existing::skip);
  CHECK(is_wrong_usage("export"));
  CHECK(is_wrong_usage("import"));
  CHECK(is_wrong_usage("import --overwrite --skip-existing f"));
}

TEST_CASE("the options of cp and mv") {
  const auto copy = change<Copy>("cp -r -p /a /b");
  CHECK(copy.from == "/a");
  CHECK(copy.to == "/b");
  CHECK(copy.recursive);
  CHECK(copy.parents);
  CHECK_FALSE(change<Copy>("cp /a /b").recursive);
  CHECK(change<Move>("mv --in-parts /a /b").in_parts);
  CHECK(is_wrong_usage("cp /a"));
  CHECK(is_wrong_usage("mv /a"));
  CHECK(is_wrong_usage("mv -r /a /b"));
}

TEST_CASE("the options of acl and quota") {
  CHECK_FALSE(change<AclCommand>("acl get /a").sets);
  const auto acl = change<AclCommand>("acl set -v 3 /a creator ip:10.0.0.0/8:r");
  CHECK(acl.sets);
  CHECK(acl.path == "/a");
  CHECK(acl.version == 3);
  CHECK(acl.acl.size() == 2);
  CHECK(change<AclCommand>("acl set -r /a open").recursive);
  CHECK_FALSE(change<Quota>("quota get /a").nodes);
  const auto quota = change<Quota>("quota set --nodes 10 --bytes none /a");
  CHECK(quota.nodes->max == 10);
  REQUIRE(quota.bytes);
  CHECK_FALSE(quota.bytes->max);
  for (const char* line : {"acl", "acl /a", "acl get", "acl set /a", "acl set /a odd",
                           "acl set -r -v 1 /a open", "quota", "quota get", "quota set /a",
                           "quota set --nodes x /a", "quota set --nodes -1 /a"}) {
    CAPTURE(line);
    CHECK(is_wrong_usage(line));
  }
}

TEST_CASE("the options of multi, edit and delete") {
  CHECK(change<Multi>("multi").file == "-");
  CHECK(change<Multi>("multi file").file == "file");
  CHECK(change<Edit>("edit '/two words'").path == "/two words");
  CHECK(change<Delete>("rm -rf /a").without_question);
  CHECK_FALSE(change<Delete>("rm -r /a").without_question);
  CHECK(is_wrong_usage("edit"));
}

}  // namespace
}  // namespace shell
