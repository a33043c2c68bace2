#include "tools/shell/copying.h"

#include <string>
#include <variant>
#include <vector>

#include <doctest/doctest.h>

#include "tools/shell/refused.h"

namespace shell {
namespace {

// Each operation as a line.
std::string text_of(const wire::MultiRequest& request) {
  std::string text;
  for (const wire::MultiOp& op : request.ops) {
    if (const auto* create = std::get_if<wire::CreateRequest>(&op)) {
      text += "create " + create->path + (create->parents ? " with parents" : "") +
              (create->container ? " container" : "") + (create->ttl_ms ? " ttl" : "") + " " +
              create->data + '\n';
    } else if (const auto* remove = std::get_if<wire::DeleteRequest>(&op)) {
      CHECK_FALSE(remove->recursive);
      text += "delete " + remove->path + '\n';
    } else {
      const auto& check = std::get<wire::CheckRequest>(op);
      text += "check " + check.path + ' ' + wire::to_string(check.tests.mzxid.value()) + '\n';
    }
  }
  return text;
}

NodeCopy node_of(const char* path, const char* data, std::uint64_t mzxid) {
  NodeCopy node{path, data};
  node.mzxid = wire::Zxid::from_bits(mzxid);
  return node;
}

std::vector<NodeCopy> some_nodes() {
  std::vector<NodeCopy> nodes{node_of(".", "top", 1), node_of("a", "1", 2), node_of("a/b", "2", 3)};
  nodes[1].kind = NodeCopy::Kind::container;
  nodes[2].kind = NodeCopy::Kind::ttl;
  nodes[2].ttl_ms = 5;
  return nodes;
}

TEST_CASE("a subtree is copied by one transaction, parents first") {
  CHECK(text_of(copy_request(some_nodes(), "/to", Parents::are_created)) ==
        "create /to with parents top\n"
        "create /to/a container 1\n"
        "create /to/a/b ttl 2\n");
}

TEST_CASE("a move is refused if a node was changed or created meanwhile") {
  CHECK(text_of(move_request(some_nodes(), "/from", "/to", Parents::must_exist)) ==
        "check /from 0:1\n"
        "check /from/a 0:2\n"
        "check /from/a/b 0:3\n"
        "create /to top\n"
        "create /to/a container 1\n"
        "create /to/a/b ttl 2\n"
        "delete /from/a/b\n"
        "delete /from/a\n"
        "delete /from\n");
}

TEST_CASE("a node cannot be copied below itself") {
  CHECK_NOTHROW(expect_apart("/a", "/ab"));
  CHECK_NOTHROW(expect_apart("/a/b", "/a"));
  CHECK_NOTHROW(expect_apart("/a", "/b/a"));
  CHECK_THROWS_AS(expect_apart("/a", "/a"), Ended);
  CHECK_THROWS_AS(expect_apart("/a", "/a/b"), Ended);
  CHECK_THROWS_AS(expect_apart("/", "/b"), Ended);
}

}  // namespace
}  // namespace shell
