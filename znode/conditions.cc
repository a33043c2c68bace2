#include <optional>
#include <string>
#include <string_view>

#include "wire/zxid.h"
#include "znode/operations.h"
#include "znode/path.h"
#include "znode/refuse.h"

namespace znode {
namespace {

using wire::ErrorCode;

// A path, and the node there once the plans before this one are applied.
struct Place {
  std::string_view path;
  std::optional<PendingNode> node;
  const Draft& draft;

  [[nodiscard]] const Node& in_tree() const { return draft.base().tree().at(path); }
  // None if it is not known yet: an outstanding plan creates the node, or sets its data.
  [[nodiscard]] std::optional<wire::Zxid> czxid() const {
    if (draft.will_apply(node->created_by)) return std::nullopt;
    return in_tree().czxid;
  }
  [[nodiscard]] std::optional<wire::Zxid> mzxid() const {
    if (draft.will_apply(node->set_by)) return std::nullopt;
    return in_tree().mzxid;
  }
  [[nodiscard]] std::string_view data() const {
    if (draft.will_apply(node->set_by)) return node->data.get();
    return in_tree().data();
  }
};

// The first test that does not hold, in words. None if all hold.
std::optional<std::string> unmet(const Place& place, std::int32_t version,
                                 const wire::NodeTests& tests) {
  if (!place.node) {
    if (tests.exists == false) return std::nullopt;
    return "does not exist";
  }
  const PendingNode& node = *place.node;
  if (tests.exists == false) return "exists";
  if (version != wire::any_version && version != node.version) {
    return "has version " + std::to_string(node.version) + ", not " + std::to_string(version);
  }
  if (tests.czxid && tests.czxid != place.czxid()) {
    return "was not created by " + wire::to_hex(tests.czxid->bits());
  }
  if (tests.mzxid && tests.mzxid != place.mzxid()) {
    return "was not last set by " + wire::to_hex(tests.mzxid->bits());
  }
  if (tests.ephemeral_owner && *tests.ephemeral_owner != node.lifetime.owner()) {
    return "does not belong to session " + wire::to_hex(tests.ephemeral_owner->value);
  }
  if (tests.data && *tests.data != place.data()) return "has other data";
  return std::nullopt;
}

wire::Result<void> judge(const std::string& path, std::int32_t version,
                         const wire::NodeTests& tests, const Caller& caller, const Draft& draft,
                         std::optional<std::uint32_t> number) {
  const Place place{path, draft.find(path), draft};
  if (place.node && !allows(place.node->acl, caller.identities, wire::Perm::read)) {
    return no_auth(path, wire::Perm::read);
  }
  const std::optional<std::string> why = unmet(place, version, tests);
  if (!why) return {};
  wire::Error error = refuse(ErrorCode::condition_failed, path, *why);
  wire::Unmet& unmet = error.unmet.emplace();
  unmet.condition = number;
  if (place.node) {
    unmet.found = {true, place.node->version, place.node->lifetime.owner()};
  }
  return error;
}

}  // namespace

wire::Result<void> judge(const std::vector<wire::Condition>& conditions, const Caller& caller,
                         const Draft& draft) {
  for (std::uint32_t i = 0; i < conditions.size(); ++i) {
    const wire::Condition& each = conditions[i];
    auto met =
        judge(each.path, each.version.value_or(wire::any_version), each.tests, caller, draft, i);
    if (!met) return met.error();
  }
  return {};
}

// With a version alone it fails as in ZooKeeper.
wire::Result<CheckTxn> plan(const wire::CheckRequest& request, const Caller& caller, Draft& draft) {
  if (auto valid = validate(request.path); !valid) return valid.error();
  if (!request.tests.none()) {
    auto met = judge(request.path, request.version, request.tests, caller, draft, std::nullopt);
    if (!met) return met.error();
    return CheckTxn{};
  }

  const std::optional<PendingNode> node = draft.find(request.path);
  if (!node) return no_node(request.path);
  if (!allows(node->acl, caller.identities, wire::Perm::read)) {
    return no_auth(request.path, wire::Perm::read);
  }
  if (request.version != wire::any_version && request.version != node->version) {
    return bad_version(request.path, node->version, request.version);
  }
  return CheckTxn{};
}

}  // namespace znode
