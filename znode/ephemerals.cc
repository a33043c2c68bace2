#include <utility>

#include "znode/operations.h"

namespace znode {

wire::EphemeralsReply read(const wire::EphemeralsRequest& request, const Caller& caller,
                           const Tree& tree) {
  std::vector<std::string> paths = tree.ephemerals(caller.session);
  std::erase_if(paths, [&](const std::string& path) { return !path.starts_with(request.prefix); });
  return {std::move(paths)};
}

}  // namespace znode
