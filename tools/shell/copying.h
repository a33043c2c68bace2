#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "client-lib/client.h"
#include "tools/shell/node_copy.h"
#include "tools/shell/subtree_reader.h"
#include "wire/requests.h"

// Copies of subtrees at other places of the same tree.
namespace shell {

// The default limit of the operations in one transaction.
inline constexpr std::size_t operations_max = 1'000;
inline constexpr std::size_t moved_operations = 3;  // for each node

// The first nodes of a subtree.
struct Gathered {
  std::vector<NodeCopy> nodes;
  bool is_whole = true;  // there are no more
};
// Reads until there are `nodes_max` nodes, or more bytes than fit into one transaction. It may
// return some more than that.
[[nodiscard]] Gathered gather(SubtreeReader& reader, std::size_t nodes_max);

// `expect_apart` throws Ended if `to` is `from` or below it. `expect_visible_acls` throws Ended if
// the server hides a part of an ACL.
void expect_apart(const std::string& from, const std::string& to);
void expect_visible_acls(const std::vector<NodeCopy>& nodes, const std::string& from);

// One transaction that creates the nodes.
[[nodiscard]] wire::MultiRequest copy_request(const std::vector<NodeCopy>& nodes,
                                              const std::string& to, Parents parents);
// One transaction that moves the nodes. The server refuses it if a node was changed, or if another
// was created below them. So no change is lost.
[[nodiscard]] wire::MultiRequest move_request(const std::vector<NodeCopy>& nodes,
                                              const std::string& from, const std::string& to,
                                              Parents parents);

struct Transacted {
  std::optional<wire::Error> error = {};
  std::string path = {};  // of the operation that failed
  wire::Zxid zxid = {};
};
// Sends a transaction, and waits for its result.
[[nodiscard]] Transacted transact(zabkeeper::Client& client, const wire::MultiRequest& request);

}  // namespace shell
