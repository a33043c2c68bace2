#include <algorithm>
#include <utility>

#include "wire/reply_size.h"
#include "znode/operations.h"
#include "znode/refuse.h"

namespace znode {

wire::Result<wire::EphemeralsReply> read(const wire::EphemeralsRequest& request,
                                         const Caller& caller, const Tree& tree,
                                         ReplyBudget& budget) {
  std::vector<std::string> paths;
  for (const Node* node : tree.ephemeral_nodes(caller.session)) {
    std::string path = node->path();
    if (!path.starts_with(request.prefix)) continue;
    if (!budget.take(wire::item_bytes_max + wire::text_bytes_max(path))) {
      return reply_too_large(budget.bytes_max());
    }
    paths.push_back(std::move(path));
  }
  std::ranges::sort(paths);
  return wire::EphemeralsReply{std::move(paths)};
}

}  // namespace znode
