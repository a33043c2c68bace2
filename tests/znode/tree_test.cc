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

TEST_CASE("a new tree has the same nodes as in ZooKeeper") {
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

TEST_CASE("the memory of a tree is that of its nodes and of the ACLs in use") {
  Tree tree;
  const std::int64_t empty = tree.memory();
  tree.insert("/a", "12345");
  const std::int64_t one = tree.memory();
  CHECK(one - empty == memory_of_node(1, 5, Lifetime::Kind::persistent));
  tree.edit("/a").set_data("123456789");
  CHECK(tree.memory() - one == 4);
  tree.insert("/a/ttl", "", {}, Lifetime::of_ttl(5));
  tree.erase_subtree("/a", [](const std::string&, const SharedAcl&) {});
  CHECK(tree.memory() == empty);

  const auto acl_of = [](int number) {
    return SharedAcl({{"digest", std::to_string(number) + ":hash", 31}});
  };
  constexpr int count = 1000;
  for (int i = 0; i < count; ++i) {
    tree.insert("/" + std::to_string(i), "", {}, {}, acl_of(i));
  }
  const std::int64_t full = tree.memory();
  CHECK(full - empty > count * std::int64_t{memory_of_node(1, 0, Lifetime::Kind::persistent)} +
                           count * static_cast<std::int64_t>(acl_of(0).memory()));
  for (int i = 0; i < count; ++i) {
    tree.insert("/0/" + std::to_string(i), "", {}, {}, acl_of(1));
  }
  tree.erase_subtree("/0", [](const std::string&, const SharedAcl&) {});
  for (int i = 1; i < count; ++i) tree.erase("/" + std::to_string(i));
  CHECK(tree.memory() - empty < 100 * static_cast<std::int64_t>(acl_of(0).memory()));
}

TEST_CASE("nodes are found only by their full path") {
  Tree tree;
  tree.insert("/a", "1");
  tree.insert("/a/b", "2");
  tree.insert("/ab", "3");
  CHECK(tree.at("/a/b").data() == "2");
  CHECK(tree.at("/ab").data() == "3");
  CHECK(tree.at("/a/b").path() == "/a/b");
  CHECK(tree.at("/").path() == "/");
  for (const char* path : {"", "a", "/b", "/a/", "//a", "/a/b/c", "/ab/", "b"}) {
    CAPTURE(path);
    CHECK(tree.find(path) == nullptr);
  }
}

TEST_CASE("children are in the order of their bytes, and can be listed from any name") {
  Tree tree;
  tree.insert("/p", "");
  for (const char* name : {"b", "a", "c", "B", "a!", "\xC3\xA9"}) {
    tree.insert(child_path("/p", name), "");
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

  std::vector<std::string> reversed;
  for (const Node* node = tree.at("/p").last_child(); node; node = node->previous_sibling()) {
    reversed.emplace_back(node->name());
  }
  CHECK(reversed == std::vector<std::string>(names.rbegin(), names.rend()));
  CHECK(tree.at("/p").last_child_before("b")->name() == "a!");
  CHECK(tree.at("/p").last_child_before("aa")->name() == "a!");
  CHECK(tree.at("/p").last_child_before("B") == nullptr);
  CHECK(tree.at("/p/a").last_child() == nullptr);
  CHECK(tree.at("/p/a").last_child_before("z") == nullptr);
  CHECK(tree.at("/").previous_sibling() == nullptr);
}

TEST_CASE("data can be replaced by data of any length") {
  Tree tree;
  const Node& node = tree.insert("/node", "first");
  for (const std::string& data : {std::string("longer than that"), std::string(), std::string("x"),
                                  std::string("\0y", 2), std::string(1000, 'z'), std::string()}) {
    tree.edit(node).set_data(data);
    CHECK(node.data() == data);
    CHECK(node.name() == "node");
    CHECK(tree.find("/node") == &node);
  }
}

// A fixed sequence of pseudo-random steps, compared with a model that keeps paths in a sorted map.
TEST_CASE("counts, owners and order are right after many insertions and removals") {
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
      tree.insert(path, path, {}, Lifetime::of_session({owner}));
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
    actual[path] = node.lifetime().owner().value;
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

std::uint64_t digest_of_nodes(const Tree& tree) {
  std::uint64_t digest = 0;
  const Node& root = tree.at("/");
  for (const Node* node = &root; node; node = next_in_subtree(*node, root)) {
    digest += node->digest();
  }
  return digest;
}

TEST_CASE("equal trees have equal digests, whatever their histories") {
  Tree one;
  one.insert("/a", "1");
  one.insert("/b", "2", {}, Lifetime::of_session({7}));
  Tree other;
  other.insert("/c", "");
  other.insert("/c/d", "");
  other.insert("/b", "2", {}, Lifetime::of_session({7}));
  other.insert("/a", "x");
  other.edit("/a").set_data("1");
  other.erase_subtree("/c", [](const std::string&, const SharedAcl&) {});
  CHECK(one.digest() == other.digest());
  CHECK(one.digest() == digest_of_nodes(one));
  CHECK(other.digest() == digest_of_nodes(other));
  CHECK(Tree().digest() == Tree().digest());
}

TEST_CASE("every field that a client can see changes the digest") {
  struct Row {
    const char* field;
    void (*change)(Tree& tree);
  };
  const auto make = [](Tree& tree) { tree.insert("/a", "data"); };
  for (const Row& row : {
           Row{"data", [](Tree& tree) { tree.edit("/a").set_data("date"); }},
           Row{"czxid",
               [](Tree& tree) {
                 tree.edit("/a")->czxid = {{1}, 1};
               }},
           Row{"mzxid",
               [](Tree& tree) {
                 tree.edit("/a")->mzxid = {{1}, 1};
               }},
           Row{"pzxid",
               [](Tree& tree) {
                 tree.edit("/a")->pzxid = {{1}, 1};
               }},
           Row{"ctime", [](Tree& tree) { tree.edit("/a")->ctime = 1; }},
           Row{"mtime", [](Tree& tree) { tree.edit("/a")->mtime = 1; }},
           Row{"version", [](Tree& tree) { tree.edit("/a")->version = 1; }},
           Row{"aversion", [](Tree& tree) { tree.edit("/a")->aversion = 1; }},
           Row{"creations", [](Tree& tree) { tree.edit("/a")->creations = 1; }},
           Row{"ACL",
               [](Tree& tree) {
                 tree.edit("/a").set_acl(SharedAcl({{"ip", "::1", 1}}));
               }},
           Row{"a new node", [](Tree& tree) { tree.insert("/b", "data"); }},
           Row{"a deleted node", [](Tree& tree) { tree.erase("/a"); }},
           Row{"owner",
               [](Tree& tree) {
                 tree.erase("/a");
                 tree.insert("/a", "data", {}, Lifetime::of_session({1}));
               }},
           Row{"container",
               [](Tree& tree) {
                 tree.erase("/a");
                 tree.insert("/a", "data", {}, Lifetime::of_container());
               }},
           Row{"path",
               [](Tree& tree) {
                 tree.erase("/a");
                 tree.insert("/b", "data");
               }},
       }) {
    CAPTURE(row.field);
    Tree before;
    make(before);
    Tree after;
    make(after);
    REQUIRE(after.digest() == before.digest());
    row.change(after);
    CHECK(after.digest() != before.digest());
    CHECK(after.digest() == digest_of_nodes(after));
  }
}

}  // namespace
}  // namespace znode
