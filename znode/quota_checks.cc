#include <functional>
#include <map>
#include <string>

#include "znode/operations.h"
#include "znode/path.h"
#include "znode/refuse.h"

// How quotas are set and enforced.
namespace znode {
namespace {

using wire::ErrorCode;

wire::Error exceeded(std::string_view root, std::int64_t wanted, const char* what,
                     const char* limit, std::int64_t max) {
  return refuse(ErrorCode::quota_exceeded, root,
                "would have " + std::to_string(wanted) + ' ' + what + ", more than its quota's " +
                    limit + '=' + std::to_string(max));
}

wire::Error no_room(std::string_view path, const char* limit, std::int64_t max, std::int64_t used,
                    const char* what) {
  return refuse(ErrorCode::bad_arguments, path,
                "would stop everybody: " + std::string(limit) + '=' + std::to_string(max) +
                    " is not above the " + std::to_string(used) + ' ' + what + " that exist");
}

}  // namespace

wire::Result<void> check_admin(std::string_view path, const PendingNode& node,
                               const Caller& caller) {
  if ((path == "/" || is_reserved(path)) && !caller.identities.is_super()) return only_super(path);
  if (!allows(node.acl, caller.identities, wire::Perm::admin)) {
    return no_auth(path, wire::Perm::admin);
  }
  return {};
}

wire::Result<void> check_quotas(std::string_view path, const Usage& growth, const Caller& caller,
                                const Draft& draft) {
  if (!draft.has_limits() || is_reserved(path) || caller.identities.is_super()) return {};
  if (growth.nodes <= 0 && growth.bytes <= 0) return {};
  for (std::string_view root = path;; root = parent_of(root)) {
    if (const auto limits = draft.limits(root)) {
      Usage wanted = draft.usage(root);
      wanted += growth;
      const Usage& hard = limits->hard;
      if (growth.nodes > 0 && hard.nodes >= 0 && wanted.nodes > hard.nodes) {
        return exceeded(root, wanted.nodes, "nodes", "countHardLimit", hard.nodes);
      }
      if (growth.bytes > 0 && hard.bytes >= 0 && wanted.bytes > hard.bytes) {
        return exceeded(root, wanted.bytes, "bytes", "byteHardLimit", hard.bytes);
      }
    }
    if (root == "/") return {};
  }
}

wire::Result<void> check_quota_change(std::string_view path, const Caller& caller,
                                      const Draft& draft) {
  auto root = limited_path(path);
  if (!root) return reserved(path);
  // If the node does not exist, its nearest existing ancestor decides.
  std::optional<PendingNode> node = draft.find(*root);
  while (!node) {
    root = parent_of(*root);
    node = draft.find(*root);
  }
  return check_admin(*root, *node, caller);
}

// Many quota nodes belong to one limited node, so each of those is asked once.
wire::Result<void> check_quota_changes_below(std::string_view path, const Caller& caller,
                                             const Draft& draft) {
  std::map<std::string, std::string, std::less<>> checked;  // a quota node for each limited node
  for (std::string& below : draft.paths_below(path)) {
    if (const auto root = limited_path(below)) checked.try_emplace(std::string(*root), below);
  }
  for (const auto& [root, below] : checked) {
    if (auto change = check_quota_change(below, caller, draft); !change) return change;
  }
  return {};
}

wire::Result<void> check_root_limits(std::string_view path, const QuotaLimits& limits,
                                     const Draft& draft) {
  if (limited_path(path) != "/") return {};
  const Usage used = draft.usage("/");
  const Usage& hard = limits.hard;
  if (hard.nodes >= 0 && hard.nodes <= used.nodes) {
    return no_room(path, "countHardLimit", hard.nodes, used.nodes, "nodes");
  }
  if (hard.bytes >= 0 && hard.bytes <= used.bytes) {
    return no_room(path, "byteHardLimit", hard.bytes, used.bytes, "bytes");
  }
  return {};
}

wire::Result<std::shared_ptr<const QuotaLimits>> plan_limits(std::string_view path,
                                                             std::string_view data,
                                                             const Caller& caller,
                                                             const Draft& draft) {
  if (!is_limits(path)) return reserved(path);
  if (auto change = check_quota_change(path, caller, draft); !change) return change.error();
  const auto limits = limits_of(data);
  if (!limits) return limits.error();
  return std::make_shared<const QuotaLimits>(*limits);
}

}  // namespace znode
