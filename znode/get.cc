#include "wire/reply_size.h"
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

// The most that the data will take once all outstanding plans are applied.
std::size_t bytes_max(std::string_view path, const PendingNode& pending, const Tree& tree) {
  const Node* node = tree.find(path);
  const bool is_same = node != nullptr && node->data().size() == pending.data_size &&
                       node->stat().mtime == pending.mtime &&
                       node->stat().version == pending.version;
  return is_same ? wire::text_bytes_max(node->data()) : wire::text_bytes_max(pending.data_size);
}

}  // namespace

wire::Result<wire::GetRequest> plan(const wire::GetRequest& request, const Caller& caller,
                                    Draft& draft, ReplyBudget& budget) {
  if (auto valid = validate(request.path); !valid) return valid.error();
  if (request.read.watch) return no_watch_in_multi();
  const std::optional<PendingNode> node = draft.find(request.path);
  if (!node) return no_node(request.path);
  if (!allows(node->acl, caller.identities, wire::Perm::read)) {
    return no_auth(request.path, wire::Perm::read);
  }
  const std::size_t data = bytes_max(request.path, *node, draft.base().tree());
  if (!budget.take(wire::stat_bytes_max + data)) return reply_too_large(budget.bytes_max());
  return request;
}

wire::GetReply apply(const wire::GetRequest& request, const Tree& tree) {
  return get(request.path, tree.at(request.path), tree);
}

wire::Result<wire::GetReply> read(const wire::GetRequest& request, const Caller& caller,
                                  const Tree& tree, ReplyBudget& budget) {
  if (auto valid = validate(request.path); !valid) return valid.error();
  const Node* node = tree.find(request.path);
  if (!node) return no_node(request.path);
  if (!allows(node->acl(), caller.identities, wire::Perm::read)) {
    return no_auth(request.path, wire::Perm::read);
  }
  if (!budget.take(wire::stat_bytes_max + wire::text_bytes_max(node->data()))) {
    return reply_too_large(budget.bytes_max());
  }
  return get(request.path, *node, tree);
}

}  // namespace znode
