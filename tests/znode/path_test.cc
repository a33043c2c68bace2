#include "znode/path.h"

#include <string>

#include <doctest/doctest.h>

#include "tests/znode/printing.h"

namespace znode {
namespace {

TEST_CASE("valid paths are accepted, and invalid ones are refused with a reason") {
  struct Row {
    std::string path;
    std::string reason;  // part of the error message; empty: the path is valid
  };
  const std::string too_deep = [] {
    std::string path;
    for (std::size_t i = 0; i <= path_depth_max; ++i) path += "/a";
    return path;
  }();

  for (const Row& row : {
           Row{"/", ""},
           Row{"/a", ""},
           Row{"/a/b", ""},
           Row{"/.a", ""},
           Row{"/a..", ""},
           Row{"/...", ""},
           Row{"/a b!~", ""},
           Row{"/zookeeper/config", ""},
           Row{"/\xC3\xA9/\xE6\x97\xA5\xE6\x9C\xAC", ""},  // é, 日本
           Row{"/\xF0\x9F\xA6\x93", ""},                   // a zebra
           Row{too_deep.substr(2), ""},
           Row{"/" + std::string(path_bytes_max - 1, 'a'), ""},

           Row{"", "does not begin with /"},
           Row{"a", "does not begin with /"},
           Row{"a/b", "does not begin with /"},
           Row{"/a/", "ends with /"},
           Row{"//", "ends with /"},
           Row{"//a", "empty component"},
           Row{"/a//b", "empty component"},
           Row{"/.", ". or .."},
           Row{"/a/../b", ". or .."},
           Row{"/a/./b", ". or .."},
           Row{"/..", ". or .."},
           Row{std::string("/a\0b", 4), "not allowed in paths"},
           Row{"/\x01", "not allowed in paths"},
           Row{"/\x1F", "not allowed in paths"},
           Row{"/\x7F", "not allowed in paths"},
           Row{"/\xC2\x80", "not allowed in paths"},      // U+0080
           Row{"/\xC2\x9F", "not allowed in paths"},      // U+009F
           Row{"/\xEE\x80\x80", "not allowed in paths"},  // U+E000
           Row{"/\xEF\xA3\xBF", "not allowed in paths"},  // U+F8FF
           Row{"/\xEF\xBF\xB0", "not allowed in paths"},  // U+FFF0
           Row{"/\xEF\xBF\xBF", "not allowed in paths"},  // U+FFFF
           Row{"/\xC2\xA0", ""},                          // U+00A0
           Row{"/\xEF\xA4\x80", ""},                      // U+F900
           Row{"/\xEF\xBF\xAF", ""},                      // U+FFEF
           Row{"/\xED\xA0\x80", "not UTF-8"},             // a surrogate
           Row{"/\xFF", "not UTF-8"},
           Row{"/\xC3", "not UTF-8"},
           Row{too_deep, "more than 128"},
           Row{"/" + std::string(path_bytes_max, 'a'), "longer than 4096"},
       }) {
    CAPTURE(row.path);
    const auto valid = validate(row.path);
    REQUIRE(valid.has_value() == row.reason.empty());
    if (valid) continue;
    CHECK(valid.error().code == wire::ErrorCode::bad_arguments);
    CHECK(valid.error().message.find(row.reason) != std::string::npos);
  }
}

TEST_CASE("the error message contains the invalid path") {
  CHECK(validate("/a//b").error().message == "the path \"/a//b\" has an empty component");
}

TEST_CASE("/zookeeper and the paths below it are reserved") {
  CHECK(is_reserved("/zookeeper"));
  CHECK(is_reserved("/zookeeper/quota/a"));
  CHECK_FALSE(is_reserved("/zookeeper0"));
  CHECK_FALSE(is_reserved("/"));
  CHECK_FALSE(is_reserved("/a/zookeeper"));
}

TEST_CASE("parent_of, name_of, child_path and is_below divide, join and compare paths") {
  CHECK(parent_of("/a") == "/");
  CHECK(parent_of("/a/b") == "/a");
  CHECK(parent_of("/a/b/c") == "/a/b");
  CHECK(name_of("/") == "");
  CHECK(name_of("/a") == "a");
  CHECK(name_of("/a/bc") == "bc");
  CHECK(child_path("/", "a") == "/a");
  CHECK(child_path("/a", "b") == "/a/b");
  CHECK(is_below("/a", "/"));
  CHECK(is_below("/a/b", "/a"));
  CHECK(is_below("/a/b/c", "/a"));
  CHECK_FALSE(is_below("/", "/"));
  CHECK_FALSE(is_below("/a", "/a"));
  CHECK_FALSE(is_below("/ab", "/a"));
}

}  // namespace
}  // namespace znode
