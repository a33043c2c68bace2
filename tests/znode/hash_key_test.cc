#include "znode/hash_key.h"

#include <set>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "tests/znode/collisions.h"
#include "znode/acl.h"
#include "znode/changes.h"
#include "znode/tree.h"

namespace znode {
namespace {

// Attacks with far fewer keys take a server's time already.
constexpr std::size_t keys = 5'000;
// With the fixed hash this work takes many times as long as with another key; if both keys were the
// same, it would take as long.
constexpr double slowdown_min = 3;

TEST_CASE("paths that collide under the fixed hash do not collide under a key") {
  const std::vector<std::string> paths = colliding_texts(10'000);
  const HashKey key(a_secret(1));
  std::set<TableHash> hashes;
  for (const std::string& path : paths) {
    REQUIRE(hash_of(path) == hash_of(paths.front()));
    hashes.insert(key(path));
  }
  // Two of 10000 random numbers of 32 bits are equal in one of 80 cases.
  CHECK(hashes.size() > paths.size() - 10);
}

TEST_CASE("two keys hash texts of every length differently, and a key always equally") {
  const HashKey key(a_secret(1));
  const HashKey other(a_secret(2));
  std::string text;
  std::size_t equal = 0;
  for (std::size_t length = 0; length < 600; ++length, text += 'a') {
    CHECK(key(text) == HashKey(a_secret(1))(text));
    equal += key(text) == other(text) ? 1 : 0;
  }
  CHECK(equal <= 1);
}

TEST_CASE("a tree finds its nodes with its own key") {
  const std::vector<std::string> paths = colliding_texts(keys);
  CHECK(slowdown_of_fixed_key([&](const HashKey& key) {
          Tree tree(key);
          for (const std::string& path : paths) tree.insert(path, "");
          for (const std::string& path : paths) REQUIRE(tree.find(path) != nullptr);
        }) > slowdown_min);
}

TEST_CASE("the changes of a transaction are joined with the key of the tree") {
  const std::vector<std::string> paths = colliding_texts(keys);
  // The nodes do not exist, so that only the table of the changes has the paths.
  CHECK(slowdown_of_fixed_key([&](const HashKey& key) {
          const Tree tree(key);
          Changes changes;
          for (const std::string& path : paths) changes.created(path);
          CHECK(std::move(changes).finish(tree).size() == keys + 1);
        }) > slowdown_min);
}

TEST_CASE("a table of ACLs finds equal ones with its own key") {
  constexpr std::size_t before_id = 4 + 6 + 4;  // the scheme with its length, the id's length
  std::vector<SharedAcl> acls;
  for (std::string& id : colliding_texts(keys, 250, before_id)) {
    acls.emplace_back(wire::Acl{{"digest", std::move(id), 1}});
  }
  REQUIRE(acls.front().table_hash(fixed_key()) == acls.back().table_hash(fixed_key()));
  CHECK(slowdown_of_fixed_key([&](const HashKey& key) {
          AclTable table;
          for (const SharedAcl& acl : acls) REQUIRE(table.intern(acl, key) == acl);
        }) > slowdown_min);
}

std::vector<std::string> due_paths(Tree& tree) {
  tree.countdowns().begin({}, 1000);
  for (int i = 0; i < 3; ++i) tree.countdowns().tick();
  std::vector<std::string> paths;
  for (const Node* node : tree.countdowns().due(1000)) paths.push_back(node->path());
  return paths;
}

// Everything that is replicated is the same with every key.
TEST_CASE("trees with different keys have equal digests and orders") {
  Tree one(HashKey(a_secret(1)));
  Tree two(HashKey(a_secret(2)));
  for (Tree* tree : {&one, &two}) {
    for (int i = 0; i < 1000; ++i) {
      tree->insert("/" + std::to_string(i), "data", {}, Lifetime::of_ttl(1),
                   SharedAcl({{"digest", std::to_string(i % 7) + ":x", 1}}));
    }
    for (int i = 0; i < 1000; i += 3) tree->erase("/" + std::to_string(i));
    for (int i = 0; i < 100; ++i) {
      tree->insert("/1/" + std::to_string(i), "", {}, Lifetime::of_session({7}));
    }
  }
  CHECK(one.digest() == two.digest());
  CHECK(due_paths(one) == due_paths(two));
  CHECK(one.ephemerals({7}) == two.ephemerals({7}));
  const auto nodes = one.ephemeral_nodes({7});
  const auto others = two.ephemeral_nodes({7});
  REQUIRE(nodes.size() == others.size());
  for (std::size_t i = 0; i < nodes.size(); ++i) CHECK(nodes[i]->path() == others[i]->path());

  // Each finds its nodes after a swap.
  one.swap(two);
  CHECK(one.find("/1/99") != nullptr);
  CHECK(two.find("/1/99") != nullptr);
}

}  // namespace
}  // namespace znode
