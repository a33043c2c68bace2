#include "tools/shell/acl_words.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tools/shell/quota_limits.h"

namespace shell {
namespace {

TEST_CASE("an ACL is given as words") {
  struct Row {
    std::vector<std::string> words;
    wire::Acl acl;
  };
  for (const Row& row : {
           Row{{"open"}, {{"world", "anyone", 31}}},
           Row{{"read-only"}, {{"world", "anyone", 1}}},
           Row{{"creator", "read-only"}, {{"auth", "", 31}, {"world", "anyone", 1}}},
           Row{{"ip:10.0.0.0/8:rw"}, {{"ip", "10.0.0.0/8", 3}}},
           Row{{"ip:fe80::1/64:r"}, {{"ip", "fe80::1/64", 1}}},
           Row{{"digest:ann:5w9W4eL3=:cdrwa"}, {{"digest", "ann:5w9W4eL3=", 31}}},
           Row{{"auth::cdrwa"}, {{"auth", "", 31}}},
           Row{{"x509:CN=a b,O=ü:a"}, {{"x509", "CN=a b,O=ü", 16}}},
       }) {
    CAPTURE(row.words.front());
    const auto acl = acl_of_words(row.words);
    REQUIRE(acl.has_value());
    CHECK(*acl == row.acl);
  }
  CHECK(word_of({"digest", "ann:5w9W4eL3=", 31}) == "digest:ann:5w9W4eL3=:cdrwa");
}

TEST_CASE("a word that is not an ACL is refused by its name") {
  for (const char* word : {"", "world", "world:anyone", "world:anyone:", "world:anyone:x", ":a:r",
                           "Open", "world:anyone:r w"}) {
    CAPTURE(word);
    const auto acl = acl_of_words({"open", word});
    REQUIRE(acl.has_error());
    CHECK(acl.error().message.ends_with("not \"" + std::string(word) + '"'));
  }
}

TEST_CASE("a limit of a quota is changed, and the other parts stay") {
  CHECK(limits_path("/app/a") == "/zookeeper/quota/app/a/zookeeper_limits");
  CHECK(usage_path("/") == "/zookeeper/quota/zookeeper_stats");
  struct Row {
    const char* text;
    std::optional<std::int64_t> number;
    const char* changed;
  };
  for (const Row& row : {
           Row{"", 5, "countHardLimit=5"},
           Row{"countHardLimit=7", 5, "countHardLimit=5"},
           Row{"countHardLimit=7", std::nullopt, ""},
           Row{"count=1,countHardLimit=7;byteHardLimit=3", 5,
               "count=1,byteHardLimit=3,countHardLimit=5"},
           Row{"bytes=9;", std::nullopt, "bytes=9"},
       }) {
    CAPTURE(row.text);
    CHECK(with_quota_part(row.text, nodes_limit, row.number) == row.changed);
  }
  CHECK(quota_part("count=2,bytes=10", "bytes") == 10);
  CHECK(quota_part("count=2,bytes=10", "byte") == std::nullopt);
  CHECK(quota_part("count=-1", "count") == -1);
  CHECK(quota_part("count=2x", "count") == std::nullopt);
  CHECK(quota_part("count", "count") == std::nullopt);
}

}  // namespace
}  // namespace shell
