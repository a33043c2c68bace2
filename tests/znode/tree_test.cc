#include "znode/tree.h"

#include <map>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "znode/path.h"

namespace znode {
namespace {

std::vector<std::string> paths_below(const Tree& tree, std::string_view path) {
  std::vector<std::string> paths;
  const Node& root = tree.at(path);
  for (const Node* node = next_in_subtree(root, root); node; node = next_in_subtree(*node, root)) {
    paths.push_back(node->path());
  }
  return paths;
}

TEST_CASE("a tree begins with what ZooKeeper begins with") {
  const Tree tree;
  CHECK(tree.size() == 4);
  CHECK(paths_below(tree, "/") ==
        std::vector<std::string>{"/zookeeper", "/zookeeper/config", "/zookeeper/quota"});
  CHECK(tree.at("/").stat().cversion == -1);
  CHECK(tree.at("/").stat().num_children == 1);
  CHECK(tree.at("/zookeeper").stat().cversion == -2);
  CHECK(tree.at("/zookeeper").stat().num_children == 2);
  CHECK(tree.at("/zookeeper/quota").stat() == wire::Stat{});
}

TEST_CASE("nodes are found by their whole path only") {
  Tree tree;
  tree.insert("/a", "1", {});
  tree.insert("/a/b", "2", {});
  tree.insert("/ab", "3", {});
  CHECK(tree.at("/a/b").data() == "2");
  CHECK(tree.at("/ab").data() == "3");
  CHECK(tree.at("/a/b").path() == "/a/b");
  CHECK(tree.at("/").path() == "/");
  for (const char* path : {"", "a", "/b", "/a/", "//a", "/a/b/c", "/ab/", "b"}) {
    CAPTURE(path);
    CHECK(tree.find(path) == nullptr);
  }
}

TEST_CASE("children are in the order of their bytes, and can be entered anywhere") {
  Tree tree;
  tree.insert("/p", "", {});
  for (const char* name : {"b", "a", "c", "B", "a!", "\xC3\xA9"}) {
    tree.insert(child_path("/p", name), "", {});
  }
  std::vector<std::string> names;
  for (const Node* node = tree.at("/p").first_child(); node; node = node->next_sibling()) {
    names.emplace_back(node->name());
  }
  CHECK(names == std::vector<std::string>{"B", "a", "a!", "b", "c", "\xC3\xA9"});
  CHECK(tree.at("/p").first_child_after("a")->name() == "a!");
  CHECK(tree.at("/p").first_child_after("aa")->name() == "b");
  CHECK(tree.at("/p").first_child_after("\xC3\xA9") == nullptr);
  CHECK(tree.at("/p/a").first_child_after("") == nullptr);
}

TEST_CASE("data of any length can follow any other") {
  Tree tree;
  Node& node = tree.insert("/node", "first", {});
  for (const std::string& data : {std::string("longer than that"), std::string(), std::string("x"),
                                  std::string("\0y", 2), std::string(1000, 'z'), std::string()}) {
    node.set_data(data);
    CHECK(node.data() == data);
    CHECK(node.name() == "node");
    CHECK(tree.find("/node") == &node);
  }
}

// Against a model that keeps paths in a sorted map, over a fixed sequence of pseudo-random steps.
TEST_CASE("counts, owners and order stay true through many insertions and removals") {
  Tree tree;
  std::map<std::string, std::uint64_t> model;  // path to owner
  std::uint64_t state = 1;
  const auto next = [&state](std::uint64_t bound) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (state >> 33) % bound;
  };

  for (int step = 0; step < 20'000; ++step) {
    std::string path;
    const std::uint64_t depth = 1 + next(4);
    for (std::uint64_t i = 0; i < depth; ++i) path += "/" + std::to_string(next(5));

    const bool is_childless = [&] {
      const auto after = model.upper_bound(path + "/");
      return after == model.end() || !is_below(after->first, path);
    }();
    const std::string parent(parent_of(path));
    const bool has_parent = parent == "/" || (model.contains(parent) && model[parent] == 0);
    if (model.contains(path)) {
      if (is_childless && next(2) == 0) {
        tree.erase(path);
        model.erase(path);
      }
    } else if (has_parent) {
      const std::uint64_t owner = next(3) == 0 ? 1 + next(4) : 0;
      tree.insert(path, path, {owner});
      model[path] = owner;
    }
  }

  REQUIRE(model.size() > 50);
  std::map<std::string, std::uint64_t> actual;
  for (const std::string& path : paths_below(tree, "/")) {
    if (path.starts_with("/zookeeper")) continue;
    const Node& node = tree.at(path);
    CHECK(node.data() == path);
    CHECK(node.descendant_count() == paths_below(tree, path).size());
    actual[path] = node.ephemeral_owner().value;
  }
  CHECK(actual == model);
  CHECK(tree.size() == model.size() + 4);

  for (std::uint64_t session = 1; session <= 4; ++session) {
    std::vector<std::string> owned;
    for (const auto& [path, owner] : model) {
      if (owner == session) owned.push_back(path);
    }
    CHECK(tree.ephemerals({session}) == owned);
  }
  CHECK(tree.ephemerals({0}).empty());
}

}  // namespace
}  // namespace znode
