#include "tools/shell/node_copy.h"

#include <algorithm>
#include <utility>

#include "tools/shell/words.h"

namespace shell {

std::string path_below(std::string_view top, std::string_view relative) {
  return relative == top_of_subtree ? std::string(top) : join(top, relative);
}

wire::CreateRequest create_request(const NodeCopy& node, std::string path, Parents parents) {
  wire::CreateRequest request;
  request.path = std::move(path);
  request.data = node.data;
  request.container = node.kind == NodeCopy::Kind::container;
  request.parents = parents == Parents::are_created;
  request.ttl_ms = node.ttl_ms;
  request.acl = node.acl;
  return request;
}

std::size_t bytes_of(const NodeCopy& node) {
  constexpr std::size_t node_bytes = 64;
  std::size_t bytes = node_bytes + node.path.size() + node.data.size();
  if (node.acl) {
    for (const wire::AclEntry& entry : *node.acl) bytes += entry.scheme.size() + entry.id.size();
  }
  return bytes;
}

bool has_hidden_hash(const wire::Acl& acl) {
  return std::ranges::any_of(acl, [](const wire::AclEntry& entry) {
    return entry.scheme == "digest" && entry.id.ends_with(":x");
  });
}

}  // namespace shell
