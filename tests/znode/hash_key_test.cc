#include "znode/hash_key.h"

#include <cstring>
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "znode/hash.h"
#include "znode/tree.h"

namespace znode {
namespace {

HashKey::Secret a_secret(unsigned seed) {
  HashKey::Secret secret{};
  for (unsigned char& byte : secret)
    byte = static_cast<unsigned char>(seed = seed * 2654435761u + 1);
  return secret;
}

// Paths that collide under a fixed hash, whatever is done with its value. XXH3 multiplies both
// halves of 8 bytes with each other, after it has mixed them with a secret. Where one half becomes
// 0, only the sum of such 8 bytes at two places counts.
std::vector<std::string> colliding_paths(std::size_t count) {
  std::vector<std::string> paths;
  for (std::uint32_t number = 0x01010101; paths.size() < count; ++number) {
    std::string path = "/" + std::string(300, 'x');
    const std::uint32_t other = 0u - number;
    std::memcpy(path.data() + 16, XXH3_kSecret + 16, 4);
    std::memcpy(path.data() + 20, &number, 4);
    std::memcpy(path.data() + 80, XXH3_kSecret + 24, 4);
    std::memcpy(path.data() + 84, &other, 4);
    if (path.find('/', 1) == std::string::npos) paths.push_back(path);
  }
  return paths;
}

TEST_CASE("paths that collide under the fixed hash do not under a key") {
  const std::vector<std::string> paths = colliding_paths(10'000);
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
  CHECK(one.due(10, 1000) == two.due(10, 1000));
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
