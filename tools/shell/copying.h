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

// As many nodes as one transaction may have, by default.
inline constexpr std::size_t operations_max = 1'000;
inline constexpr std::size_t moved_operations = 3;  // for each node

// The first nodes of a subtree.
struct Gathered {
  std::vector<NodeCopy> nodes;
  bool is_whole = true;  // there are no more
};
// Not many more than `nodes_max`, and not many more bytes than fit into one transaction.
[[nodiscard]] Gathered gather(SubtreeReader& reader, std::size_t nodes_max);

// Throws Ended if nodes below `from` cannot be put at `to`, or if an ACL cannot be copied.
void expect_apart(const std::string& from, const std::string& to);
void expect_visible_acls(const std::vector<NodeCopy>& nodes, const std::string& from);

// One transaction that creates the nodes.
[[nodiscard]] wire::MultiRequest copy_request(const std::vector<NodeCopy>& nodes,
                                              const std::string& to, Parents parents);
// One transaction that moves the nodes. It is refused if one of them was changed, and if another
// was created below them: no change is lost.
[[nodiscard]] wire::MultiRequest move_request(const std::vector<NodeCopy>& nodes,
                                              const std::string& from, const std::string& to,
                                              Parents parents);

// Sends a transaction.
struct Transacted {
  std::optional<wire::Error> error = {};
  std::string path = {};  // of the operation that failed
  wire::Zxid zxid = {};
};
[[nodiscard]] Transacted transact(zabkeeper::Client& client, const wire::MultiRequest& request);

}  // namespace shell
