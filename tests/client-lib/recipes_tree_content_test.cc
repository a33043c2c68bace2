#include <optional>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "client-lib/recipes/tree_content.h"

namespace zabkeeper {
namespace {

using PathList = std::vector<std::string>;

TreeContent content_of(const PathList& paths) {
  TreeContent content;
  for (const std::string& path : paths) content.put(path, {"data", 0, {}, {}});
  return content;
}

PathList paths_of(const TreeContent& content) {
  PathList paths;
  for (const auto& [path, node] : content.nodes()) paths.push_back(path);
  return paths;
}

// In order. Some names sort before a slash.
const PathList some_paths = {"/t",     "/t/a",   "/t/a/x",   "/t/a/x/y",
                             "/t/a b", "/t/a-b", "/t/a-b/z", "/t/b"};

}  // namespace

TEST_CASE(
    "a tree has each node before everything below it, and its siblings in the order of names") {
  CHECK(paths_of(content_of({"/t/b", "/t/a-b", "/t/a/x/y", "/t/a b", "/t/a-b/z", "/t/a", "/t/a/x",
                             "/t"})) == some_paths);
}

TEST_CASE("a tree drops the children that a page does not have, with everything below them") {
  struct Row {
    const char* title;
    std::optional<std::string> after;
    std::optional<std::string> last;
    PathList names;
    PathList left;
  };
  const Row rows[] = {
      {"all are on the page", {}, {}, {"a", "a b", "a-b", "b"}, some_paths},
      {"one is missing, and a sibling's name begins with its name",
       {},
       {},
       {"a b", "a-b", "b"},
       {"/t", "/t/a b", "/t/a-b", "/t/a-b/z", "/t/b"}},
      {"all are missing", {}, {}, {}, {"/t"}},
      {"the first page", {}, "a b", {"a b"}, {"/t", "/t/a b", "/t/a-b", "/t/a-b/z", "/t/b"}},
      {"the page after the first child",
       "a",
       {},
       {"a b"},
       {"/t", "/t/a", "/t/a/x", "/t/a/x/y", "/t/a b"}},
      {"a page in the middle", "a", "a-b", {"a b", "a-b"}, some_paths},
      {"a page in the middle lacks a child",
       "a",
       "a-b",
       {"a-b"},
       {"/t", "/t/a", "/t/a/x", "/t/a/x/y", "/t/a-b", "/t/a-b/z", "/t/b"}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.title);
    TreeContent content = content_of(some_paths);
    content.keep_children("/t", row.after, row.last, row.names);
    CHECK(paths_of(content) == row.left);
  }
}

TEST_CASE("a tree drops the children of the root") {
  TreeContent content = content_of({"/", "/a", "/a/x", "/b"});
  content.keep_children("/", {}, {}, {"b"});
  CHECK(paths_of(content) == PathList{"/", "/b"});
  content.erase_subtree("/");
  CHECK(paths_of(content).empty());
  CHECK(content.bytes() == 0);
}

TEST_CASE("a tree counts the bytes of its paths and data") {
  TreeContent content;
  content.put("/a", {"123", 0, {}, {}});
  content.put("/a/b", {"1", 0, {}, {}});
  CHECK(content.bytes() == 10);
  content.put("/a", {"12345", 1, {}, {}});
  CHECK(content.bytes() == 12);
  CHECK(content.erase("/a"));
  CHECK_FALSE(content.erase("/a"));
  CHECK(content.bytes() == 5);
  CHECK(content.has_children("/a", {}));
  CHECK_FALSE(content.has_children("/a", "b"));
  content.erase_subtree("/a");
  CHECK(content.bytes() == 0);
}

}  // namespace zabkeeper
