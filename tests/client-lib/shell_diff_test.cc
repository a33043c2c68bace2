#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "tools/shell/busy_paths.h"
#include "tools/shell/location.h"
#include "tools/shell/tree_diff.h"
#include "tools/shell/tree_walk.h"

namespace shell {
namespace {

WalkedNode node_with(const std::string& path, const char* data) {
  WalkedNode node{path, {}, 0, true, wire::Stat{}, {}};
  node.data = data;
  return node;
}

std::string differences_of(const std::vector<WalkedNode>& a, const std::vector<WalkedNode>& b) {
  const auto side = [](const std::vector<WalkedNode>& nodes) {
    return TreeDiff::Side{nodes.front().path,
                          [&nodes, at = std::size_t{0}]() mutable -> std::optional<WalkedNode> {
                            if (at == nodes.size()) return std::nullopt;
                            return nodes[at++];
                          }};
  };
  TreeDiff diff(side(a), side(b));
  std::string text;
  while (const auto difference = diff.next()) text += difference_text(*difference) + '\n';
  return text;
}

TEST_CASE("diff compares trees node by node") {
  const auto in_a = [](const char* path, const char* data) {
    return node_with("/a" + std::string(path), data);
  };
  const std::vector<WalkedNode> tree{in_a("", ""), in_a("/x", "1"), in_a("/x/y", "2"),
                                     in_a("/x!", "3"), in_a("/z", "4")};
  CHECK(differences_of(tree, tree).empty());
  CHECK(differences_of(tree, {node_with("/", ""), node_with("/x", "1"), node_with("/x/a", "2"),
                              node_with("/x!", "0"), node_with("/y", "5"), node_with("/z", "4")}) ==
        "+ x/a\n- x/y\n~ x!: \"3\" -> \"0\"\n+ y\n");
  CHECK(differences_of(tree, {node_with("/b", "v")}) ==
        "~ .: \"\" -> \"v\"\n- x\n- x/y\n- x!\n- z\n");

  std::vector<WalkedNode> others = tree;
  others[1].stat->ephemeral_owner = {7};
  others[2].data = std::string(50, '2');
  CHECK(differences_of(tree, others) ==
        "~ x: persistent -> ephemeral\n~ x/y: 1 byte -> 50 bytes, from byte 1 on\n");
  // What is below a node that may not be read is not compared.
  others = {tree[0], tree[1], tree[3]};
  others[1].stat.reset();
  others[1].data.reset();
  CHECK(differences_of(tree, others) == "- z\n");
  CHECK(differences_of(others, tree) == "+ z\n");
}

TEST_CASE("diff says where data begin to differ") {
  CHECK(!first_difference("", ""));
  CHECK(!first_difference("ab", "ab"));
  CHECK(first_difference("ab", "abc") == 2);
  CHECK(first_difference("xb", "ab") == 0);
}

TEST_CASE("a location is a path, or a path of other servers") {
  CHECK(parse_location("/a") == Location{"", "/a"});
  CHECK(parse_location("x") == Location{"", "x"});
  CHECK(parse_location("ws://h:1/a/b") == Location{"ws://h:1", "/a/b"});
  CHECK(parse_location("ws://h:1") == Location{"ws://h:1", "/"});
  CHECK(parse_location("ws://h:1,ws://[::1]:2/a") == Location{"ws://h:1,ws://[::1]:2", "/a"});
  CHECK(!parse_location("ws://h:port/a"));
  CHECK(!parse_location("ws:///a"));
}

BusyPaths::Report busy_report(BusyPaths::Grouping grouping,
                              const std::vector<const char*>& changed) {
  BusyPaths paths(std::move(grouping));
  for (const char* path : changed) paths.add({{"1"}, wire::EventKind::changed, path, {}, {}, {}});
  return paths.take(10);
}

TEST_CASE("top counts events by path, the busiest first") {
  using Lines = std::vector<BusyPaths::Line>;
  const auto changed = [](const char* path, std::uint64_t count) {
    return BusyPaths::Line{path, {0, count, 0}};
  };
  CHECK(busy_report({"/"}, {"/a", "/b", "/b", "/"}).lines ==
        Lines{changed("/b", 2), changed("/", 1), changed("/a", 1)});
  CHECK(busy_report({"/"}, {"/q/job-0000000001", "/q/job-0000000002", "/q/0000000003", "/q/7"})
            .lines == Lines{changed("/q/job-*", 2), changed("/q/*", 1), changed("/q/7", 1)});
  CHECK(busy_report({.root = "/", .folds_numbers = false}, {"/j0000000001"}).lines ==
        Lines{changed("/j0000000001", 1)});
  CHECK(busy_report({"/", 1}, {"/a/b", "/a/c", "/a", "/"}).lines ==
        Lines{changed("/a", 3), changed("/", 1)});
  CHECK(busy_report({"/r", 1}, {"/r/b/x", "/r/b/y", "/r"}).lines ==
        Lines{changed("/r/b", 2), changed("/r", 1)});
  CHECK(busy_report({"/r", 0}, {"/r/b/x", "/r"}).lines == Lines{changed("/r", 2)});

  BusyPaths paths({"/"});
  paths.add({{"1"}, wire::EventKind::created, "/a", {}, {}, {}});
  paths.add({{"1"}, wire::EventKind::deleted, "/a", {}, {}, {}});
  paths.add({{"1"}, wire::EventKind::resync, "", {}, {}, {}});
  const BusyPaths::Report report = paths.take(10);
  CHECK(report.lines == Lines{{"/a", {1, 0, 1}}});
  CHECK(report.events == 2);
  CHECK(!report.is_complete);
  CHECK(paths.take(10).lines.empty());
}

TEST_CASE("top keeps the busiest of too many paths") {
  BusyPaths paths({"/"}, 10);
  for (int i = 0; i < 1'000; ++i) {
    paths.add({{"1"}, wire::EventKind::changed, "/busy", {}, {}, {}});
    paths.add({{"1"}, wire::EventKind::changed, "/other" + std::to_string(i), {}, {}, {}});
  }
  const BusyPaths::Report report = paths.take(1);
  CHECK(report.lines == std::vector<BusyPaths::Line>{{"/busy", {0, 1'000, 0}}});
  CHECK(report.events == 2'000);
}

}  // namespace
}  // namespace shell
