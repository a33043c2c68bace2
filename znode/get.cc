#include "znode/operations.h"
#include "znode/path.h"
#include "znode/refuse.h"

namespace znode {
namespace {

// The data of a quota's stats node: its subtree is counted at the time of the read.
wire::Bytes stats_text(std::string_view stats_path, const Tree& tree) {
  const Node* node = tree.find(*limited_path(stats_path));
  if (!node) return text_of({});
  return text_of({1 + std::int64_t{node->descendant_count()},
                  static_cast<std::int64_t>(node->subtree_bytes())});
}

wire::GetReply get(std::string_view path, const Node& node, const Tree& tree) {
  wire::GetReply reply{wire::Bytes(node.data()), node.stat()};
  if (node.name() == stats_name && is_stats(path)) {
    reply.data = stats_text(path, tree);
    reply.stat.data_length = static_cast<std::int32_t>(reply.data.size());
  }
  return reply;
}

}  // namespace

wire::Result<wire::GetRequest> plan(const wire::GetRequest& request, const Caller& caller,
                                    Draft& draft) {
  if (auto valid = validate(request.path); !valid) return valid.error();
  if (request.read.watch) return no_watch_in_multi();
  const std::optional<PendingNode> node = draft.find(request.path);
  if (!node) return no_node(request.path);
  if (!allows(node->acl, caller.identities, wire::Perm::read)) {
    return no_auth(request.path, wire::Perm::read);
  }
  return request;
}

wire::GetReply apply(const wire::GetRequest& request, const Tree& tree) {
  return get(request.path, tree.at(request.path), tree);
}

wire::Result<wire::GetReply> read(const wire::GetRequest& request, const Caller& caller,
                                  const Tree& tree) {
  if (auto valid = validate(request.path); !valid) return valid.error();
  const Node* node = tree.find(request.path);
  if (!node) return no_node(request.path);
  if (!allows(node->acl(), caller.identities, wire::Perm::read)) {
    return no_auth(request.path, wire::Perm::read);
  }
  return get(request.path, *node, tree);
}

}  // namespace znode
