#include <map>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "znode/path.h"
#include "znode/tree.h"
#include "znode/tree_restoration.h"

namespace znode {
namespace {

// A checkpoint's records by serial number.
class Store {
 public:
  void put(std::vector<NodeRecord> records) {
    for (NodeRecord& record : records) {
      if (record.bytes) {
        nodes_.insert_or_assign(record.serial, *std::move(record.bytes));
      } else {
        nodes_.erase(record.serial);
      }
    }
  }
  [[nodiscard]] std::unique_ptr<Tree> restore() const {
    TreeRestoration restoration(nodes_.size());
    for (const auto& [serial, bytes] : nodes_) {
      const auto added = restoration.add(serial, bytes);
      REQUIRE_MESSAGE(added.has_value(), added.error().message);
    }
    auto tree = restoration.finish();
    REQUIRE(tree.has_value());
    return *std::move(tree);
  }
  std::map<std::uint64_t, wire::Bytes>& nodes() { return nodes_; }

 private:
  std::map<std::uint64_t, wire::Bytes> nodes_;
};

void take_image(Tree& tree, Store& store) {
  tree.tracker().begin(1);
  std::vector<NodeRecord> records;
  while (!tree.tracker().collect(3, records)) {
  }
  store.put(std::move(records));
}

TEST_CASE("a restored tree equals the stored tree and continues its serial numbers") {
  Tree tree;
  tree.insert("/a", "1", {}, Lifetime::of_container());
  tree.insert("/a/b", std::string("\0\xFF", 2), {}, Lifetime::of_session({7}));
  tree.insert("/c", std::string(5000, 'x'), {}, Lifetime::of_ttl(1000),
              SharedAcl({{"digest", "me:x", 3}}));
  tree.insert("/zookeeper/quota/a", "");
  tree.insert("/zookeeper/quota/a/zookeeper_limits", "count=5,bytes=-1");
  tree.edit("/a")->creations = 1;
  tree.edit("/c")->version = 12;
  Store store;
  take_image(tree, store);

  const auto restored = store.restore();
  CHECK(restored->digest() == tree.digest());
  CHECK(restored->size() == tree.size());
  CHECK(restored->at("/c").stat() == tree.at("/c").stat());
  CHECK(restored->at("/c").data() == tree.at("/c").data());
  CHECK(restored->at("/c").acl() == tree.at("/c").acl());
  CHECK(restored->at("/").descendant_count() == tree.at("/").descendant_count());
  CHECK(restored->at("/").subtree_bytes() == tree.at("/").subtree_bytes());
  CHECK(restored->ephemerals({7}) == std::vector<std::string>{"/a/b"});
  CHECK(restored->countdowns().size() == tree.countdowns().size());
  REQUIRE(restored->limits("/a"));
  CHECK(*restored->limits("/a") == *tree.limits("/a"));

  restored->insert("/d", "");
  CHECK(restored->at("/d").serial() > restored->at("/zookeeper/quota/a/zookeeper_limits").serial());
  CHECK(restored->tracker().changed() == 1);
}

TEST_CASE("an image holds only the changes since the last image") {
  Tree tree;
  Store store;
  take_image(tree, store);
  CHECK(store.nodes().size() == 4);
  CHECK(tree.tracker().changed() == 0);

  tree.insert("/a", "");
  tree.insert("/b", "");
  tree.edit("/a").set_data("1");
  CHECK(tree.tracker().changed() == 2);
  tree.erase("/b");
  INFO("a deleted node that was in no image needs no record");
  CHECK(tree.tracker().changed() == 1);
  take_image(tree, store);

  tree.erase("/a");
  tree.tracker().begin(1);
  std::vector<NodeRecord> records;
  CHECK(tree.tracker().collect(10, records));
  REQUIRE(records.size() == 1);
  CHECK(!records.front().bytes);
}

TEST_CASE("an image holds the tree as of its beginning") {
  Tree tree;
  tree.insert("/kept", "1");
  tree.insert("/changed", "1");
  tree.insert("/gone", "1");
  tree.insert("/subtree", "");
  tree.insert("/subtree/below", "1");
  const std::uint64_t digest = tree.digest();
  tree.tracker().begin(1);

  tree.edit("/changed").set_data("2");
  tree.edit("/changed").set_data("3");
  tree.erase("/gone");
  tree.insert("/gone", "created again");
  tree.erase_subtree("/subtree", [](const std::string&, const SharedAcl&) {});
  tree.insert("/new", "");
  std::vector<NodeRecord> records;
  while (!tree.tracker().collect(1, records)) {
  }
  Store store;
  store.put(std::move(records));
  CHECK(store.restore()->digest() == digest);

  INFO("the next image has the changes made meanwhile");
  take_image(tree, store);
  CHECK(store.restore()->digest() == tree.digest());
}

// ZOOKEEPER-3306, -4846.
TEST_CASE("an image holds each node's ACL, however nodes share ACLs before, during or after it") {
  const SharedAcl mine({{"digest", "me:x", 31}});
  const SharedAcl yours({{"digest", "you:x", 31}});
  Tree tree;
  tree.insert("/a", "", {}, {}, mine);
  tree.insert("/b", "", {}, {}, mine);
  tree.insert("/c", "", {}, {}, yours);
  const std::uint64_t digest = tree.digest();
  tree.tracker().begin(1);
  std::vector<NodeRecord> records;
  // Nodes that share ACLs change while the image is collected.
  tree.erase("/a");
  tree.edit("/b").set_acl(yours);
  tree.edit("/c").set_acl(SharedAcl());
  tree.insert("/a", "", {}, {}, SharedAcl({{"digest", "they:x", 31}}));
  while (!tree.tracker().collect(1, records)) {
  }
  Store store;
  store.put(std::move(records));
  const auto then = store.restore();
  CHECK(then->digest() == digest);
  CHECK(then->at("/a").acl() == mine);
  CHECK(then->at("/b").acl() == mine);
  CHECK(then->at("/c").acl() == yours);

  take_image(tree, store);
  const auto now = store.restore();
  CHECK(now->digest() == tree.digest());
  CHECK(now->at("/a").acl().list() == tree.at("/a").acl().list());
  CHECK(now->at("/b").acl() == yours);
  CHECK(now->at("/c").acl().is_open());
}

// A fixed sequence of pseudo-random changes, with parts of images collected between them.
TEST_CASE("successive images together hold the tree, whatever changes while they are collected") {
  Tree tree;
  Store store;
  std::uint64_t state = 1;
  const auto next = [&state](std::uint64_t bound) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (state >> 33) % bound;
  };
  std::vector<NodeRecord> records;
  std::uint64_t digest_then = 0;
  int images = 0;

  for (int step = 0; step < 30'000; ++step) {
    std::string path;
    for (std::uint64_t depth = 1 + next(3); depth > 0; --depth)
      path += "/" + std::to_string(next(4));
    const Node* node = tree.find(path);
    if (!node) {
      const Node* parent = tree.find(parent_of(path));
      if (parent && !parent->lifetime().is_ephemeral()) tree.insert(path, std::to_string(step));
    } else if (next(3) == 0) {
      tree.erase_subtree(path, [](const std::string&, const SharedAcl&) {});
    } else {
      Tree::Edit edit = tree.edit(*node);
      edit->version += 1;
      edit.set_data(std::to_string(step));
    }

    if (!tree.tracker().is_collecting() && next(20) == 0) {
      tree.tracker().begin(1);
      digest_then = tree.digest();
    } else if (tree.tracker().is_collecting() && tree.tracker().collect(next(4), records)) {
      store.put(std::exchange(records, {}));
      const auto restored = store.restore();
      REQUIRE(restored->digest() == digest_then);
      images += 1;
    }
  }
  CHECK(images > 100);
}

TEST_CASE("stored nodes that cannot be a tree are refused") {
  Tree tree;
  tree.insert("/a", "");
  tree.insert("/a/b", "", {}, Lifetime::of_session({1}));
  Store store;
  take_image(tree, store);
  const std::map<std::uint64_t, wire::Bytes> valid = store.nodes();
  const std::uint64_t root = valid.begin()->first;
  const std::uint64_t last = valid.rbegin()->first;

  const auto refusal = [](const std::vector<std::pair<std::uint64_t, wire::Bytes>>& nodes) {
    TreeRestoration restoration(nodes.size());
    for (const auto& [serial, bytes] : nodes) {
      if (auto added = restoration.add(serial, bytes); !added) return added.error().message;
    }
    auto done = restoration.finish();
    return done ? std::string() : done.error().message;
  };
  const auto contains = [](const std::string& text, const char* part) {
    CAPTURE(text);
    return text.find(part) != std::string::npos;
  };
  std::vector<std::pair<std::uint64_t, wire::Bytes>> all(valid.begin(), valid.end());
  CHECK(refusal(all).empty());
  CHECK(contains(refusal({}), "/ is missing"));
  CHECK(contains(refusal({all[0]}), "/zookeeper is missing"));
  CHECK(contains(refusal({all[1]}), "only the first node may be the root"));
  CHECK(contains(refusal({all[0], all[0]}), "out of order"));
  CHECK(contains(refusal({all[0], {root + 1, all[0].second}}),
                 "only the first node may be the root"));
  CHECK(contains(refusal({all[0], all.back()}), "is missing"));
  auto doubled = all;
  doubled.emplace_back(last + 1, all.back().second);
  CHECK(contains(refusal(doubled), "/a/b exists twice"));
  doubled.back().second = encode(tree.at("/a/b"), 1);
  tree.insert("/a/b/c", "");
  doubled.back() = {last + 1, encode(tree.at("/a/b/c"), 1)};
  CHECK(contains(refusal(doubled), "below an ephemeral node"));

  INFO("every node truncated at every byte");
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (std::size_t size = 0; size < all[i].second.size(); ++size) {
      auto cut = all;
      cut[i].second.resize(size);
      REQUIRE(contains(refusal(cut), "malformed"));
    }
  }
}

}  // namespace
}  // namespace znode
