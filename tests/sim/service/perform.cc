#include <algorithm>
#include <cstdio>
#include <utility>
#include <variant>

#include "tests/sim/service/model.h"
#include "tests/sim/service/oracle.h"

// The result of each request, in the shortest form.
namespace sim {
namespace {

using wire::Error;
using wire::ErrorCode;
using Outcome = wire::Result<wire::ReplyBody>;

Error refuse(ErrorCode code) { return {code, "refused by the model"}; }

bool is_path(const std::string& path) {
  if (path == "/") return true;
  if (path.empty() || path[0] != '/' || path.back() == '/') return false;
  return path.find("//") == std::string::npos && path.find("/./") == std::string::npos;
}

bool is_reserved(const std::string& path) {
  return path == "/zookeeper" || path.starts_with("/zookeeper/");
}

std::string numbered(const std::string& path, std::int32_t number) {
  char digits[16];
  std::snprintf(digits, sizeof digits, "%010d", number);
  return path + digits;
}

struct Performer {
  wire::SessionId session;
  View& view;

  Outcome operator()(const wire::CreateRequest& r) {
    if (r.container && (r.ephemeral || r.sequential)) return refuse(ErrorCode::bad_arguments);
    if (r.ttl_ms && (r.ephemeral || r.container || *r.ttl_ms <= 0)) {
      return refuse(ErrorCode::bad_arguments);
    }
    const std::string sample_path = r.sequential ? numbered(r.path, 0) : r.path;
    if (!is_path(sample_path) || is_reserved(sample_path)) return refuse(ErrorCode::bad_arguments);
    if (r.acl && r.acl->empty()) return refuse(ErrorCode::invalid_acl);

    std::vector<std::string> missing;
    std::string above = parent_path(sample_path);
    while (r.parents && !view.find(above)) {
      missing.insert(missing.begin(), above);
      above = parent_path(above);
    }
    const auto found = view.find(above);
    if (!found) return refuse(ErrorCode::no_node);
    if (!allows(found->acl, wire::Perm::create)) return refuse(ErrorCode::no_auth);
    if (!missing.empty() && r.acl && !allows(*r.acl, wire::Perm::create)) {
      return refuse(ErrorCode::no_auth);
    }
    const std::string path =
        r.sequential ? numbered(r.path, missing.empty() ? found->creations : 0) : r.path;
    if (view.find(path)) return refuse(ErrorCode::node_exists);
    if (!found->stat.ephemeral_owner.none()) return refuse(ErrorCode::no_children_for_ephemerals);

    Znode node;
    if (r.acl) node.acl = *r.acl;
    for (const std::string& each : missing) view.create(each, node);
    node.data = r.data;
    if (r.ephemeral) node.stat.ephemeral_owner = session;
    node.stat.container = r.container;
    node.stat.ttl_ms = r.ttl_ms;
    view.create(path, node);
    return wire::ReplyBody(wire::CreateReply{path, view.find(path)->stat});
  }

  Outcome operator()(const wire::SetRequest& r) {
    if (!is_path(r.path)) return refuse(ErrorCode::bad_arguments);
    const auto node = view.find(r.path);
    if (!node) {
      if (!r.create || r.version != wire::any_version) return refuse(ErrorCode::no_node);
      wire::CreateRequest create;
      create.path = r.path;
      create.data = r.data;
      auto created = (*this)(create);
      if (!created) return created;
      return wire::ReplyBody(wire::SetReply{std::get<wire::CreateReply>(*created).stat});
    }
    if (!allows(node->acl, wire::Perm::write)) return refuse(ErrorCode::no_auth);
    if (is_other(r.version, node->stat.version)) return refuse(ErrorCode::bad_version);
    view.set(r.path, r.data);
    return wire::ReplyBody(wire::SetReply{view.find(r.path)->stat});
  }

  Outcome operator()(const wire::DeleteRequest& r) {
    if (!is_path(r.path) || r.path == "/") return refuse(ErrorCode::bad_arguments);
    const auto above = view.find(parent_path(r.path));
    if (!above) return refuse(ErrorCode::no_node);
    if (!allows(above->acl, wire::Perm::remove)) return refuse(ErrorCode::no_auth);
    const auto node = view.find(r.path);
    if (!node) return refuse(ErrorCode::no_node);
    if (is_other(r.version, node->stat.version)) return refuse(ErrorCode::bad_version);
    if (node->stat.num_children > 0) {
      if (!r.recursive) return refuse(ErrorCode::not_empty);
      std::vector<std::string> parents = view.below(r.path);
      parents.push_back(r.path);
      for (const std::string& each : parents) {
        const auto one = view.find(each);
        if (one->stat.num_children > 0 && !allows(one->acl, wire::Perm::remove)) {
          return refuse(ErrorCode::no_auth);
        }
      }
    }
    view.erase_subtree(r.path);
    return wire::ReplyBody(wire::EmptyReply{});
  }

  // Whether a node passes the tests, and if not, why.
  wire::Result<void> judge(const std::string& path, std::int32_t version,
                           const wire::NodeTests& tests, std::optional<std::uint32_t> number) {
    if (!is_path(path)) return refuse(ErrorCode::bad_arguments);
    const auto node = view.find(path);
    if (node && !allows(node->acl, wire::Perm::read)) return refuse(ErrorCode::no_auth);
    const bool must_exist = tests.exists.value_or(true);
    const bool holds = node.has_value() == must_exist &&
                       (!node || (!is_other(version, node->stat.version) &&
                                  tests.czxid.value_or(node->stat.czxid) == node->stat.czxid &&
                                  tests.mzxid.value_or(node->stat.mzxid) == node->stat.mzxid &&
                                  tests.ephemeral_owner.value_or(node->stat.ephemeral_owner) ==
                                      node->stat.ephemeral_owner &&
                                  tests.data.value_or(node->data) == node->data));
    if (holds) return {};
    Error error = refuse(ErrorCode::condition_failed);
    error.unmet = wire::Unmet{number, {}};
    if (node) error.unmet->found = {true, node->stat.version, node->stat.ephemeral_owner};
    return error;
  }

  // The conditions first, and then the request or its other branch.
  Outcome operator()(const wire::ClientRequest& r) {
    wire::Result<void> met;
    for (std::uint32_t i = 0; met && i < r.conditions.size(); ++i) {
      const wire::Condition& each = r.conditions[i];
      met = judge(each.path, each.version.value_or(wire::any_version), each.tests, i);
    }
    const auto* multi = std::get_if<wire::MultiRequest>(&r.request);
    if (multi != nullptr && multi->otherwise) {
      if (met) return all(multi->ops, wire::Branch::ops);
      if (met.error().code == ErrorCode::condition_failed) {
        return all(*multi->otherwise, wire::Branch::otherwise);
      }
    }
    if (!met) return met.error();
    return std::visit(*this, r.request);
  }

  Outcome operator()(const wire::CheckRequest& r) {
    if (!r.tests.none()) {
      auto met = judge(r.path, r.version, r.tests, {});
      if (!met) return met.error();
      return wire::ReplyBody(wire::EmptyReply{});
    }
    const auto node = readable(r.path);
    if (!node) return node.error();
    if (is_other(r.version, node->stat.version)) return refuse(ErrorCode::bad_version);
    return wire::ReplyBody(wire::EmptyReply{});
  }

  Outcome operator()(const wire::SetAclRequest& r) {
    if (!is_path(r.path) || is_reserved(r.path)) return refuse(ErrorCode::bad_arguments);
    if (r.acl.empty()) return refuse(ErrorCode::invalid_acl);
    const auto node = view.find(r.path);
    if (!node) return refuse(ErrorCode::no_node);
    if (!allows(node->acl, wire::Perm::admin)) return refuse(ErrorCode::no_auth);
    if (r.path == "/") return refuse(ErrorCode::no_auth);  // nobody here is super
    if (is_other(r.version, node->stat.aversion)) return refuse(ErrorCode::bad_version);
    view.set_acl(r.path, r.acl);
    return wire::ReplyBody(wire::AclReply{r.acl, view.find(r.path)->stat});
  }

  Outcome operator()(const wire::MultiRequest& r) { return all(r.ops, {}); }

  Outcome all(const std::vector<wire::MultiOp>& ops, std::optional<wire::Branch> branch) {
    wire::MultiReply reply;
    reply.branch = branch;
    for (const wire::MultiOp& op : ops) {
      auto result = std::visit([&](const auto& each) { return (*this)(each); }, op);
      if (!result) {
        reply.failed = reply.results.size();
        for (auto& earlier : reply.results) earlier = refuse(ErrorCode::runtime_inconsistency);
        reply.results.emplace_back(std::move(result).error());
        while (reply.results.size() < ops.size()) {
          reply.results.emplace_back(refuse(ErrorCode::runtime_inconsistency));
        }
        break;
      }
      reply.results.push_back(std::visit(
          [](auto& each) -> wire::Result<wire::OpReply> {
            using Each = std::decay_t<decltype(each)>;
            if constexpr (std::is_constructible_v<wire::OpReply, Each>) {
              return wire::OpReply(std::move(each));
            } else {
              return refuse(ErrorCode::unimplemented);
            }
          },
          *result));
    }
    return wire::ReplyBody(std::move(reply));
  }

  Outcome operator()(const wire::GetRequest& r) {
    const auto node = readable(r.path);
    if (!node) return node.error();
    return wire::ReplyBody(wire::GetReply{node->data, node->stat});
  }

  Outcome operator()(const wire::ExistsRequest& r) {
    if (!is_path(r.path)) return refuse(ErrorCode::bad_arguments);
    const auto node = view.find(r.path);
    if (node && !allows(node->acl, wire::Perm::read)) return refuse(ErrorCode::no_auth);
    return wire::ReplyBody(wire::ExistsReply{node ? std::optional(node->stat) : std::nullopt});
  }

  Outcome operator()(const wire::ChildrenRequest& r) {
    const bool by_number = r.order == wire::ChildOrder::sequence;
    if (by_number && is_path(r.path)) {
      for (const auto& bound : {r.after, r.before}) {
        if (bound && !sibling_in_model(*bound)) return refuse(ErrorCode::bad_arguments);
      }
    }
    const auto node = readable(r.path);
    if (!node) return node.error();
    wire::ChildrenReply reply;
    reply.stat = node->stat;
    reply.with_details = r.with_stat || r.with_data;
    for (const std::string& name : by_number ? names_by_number(view, r) : names_by_name(r)) {
      if (r.limit && reply.children.size() == *r.limit) {
        reply.more = true;
        break;
      }
      const auto one = view.find(r.path == "/" ? r.path + name : r.path + '/' + name);
      wire::Child child{name, {}, {}};
      if (allows(one->acl, wire::Perm::read)) {
        if (r.with_stat) child.stat = one->stat;
        if (r.with_data) child.data = one->data;
      }
      reply.children.push_back(std::move(child));
    }
    return wire::ReplyBody(std::move(reply));
  }

  std::vector<std::string> names_by_name(const wire::ChildrenRequest& r) {
    std::vector<std::string> names = view.children(r.path);
    if (r.reverse) std::ranges::reverse(names);
    std::erase_if(names, [&](const std::string& name) {
      return (r.after && name <= *r.after) || (r.before && name >= *r.before);
    });
    return names;
  }

  Outcome operator()(const wire::CountRequest& r) {
    const auto node = readable(r.path);
    if (!node) return node.error();
    return wire::ReplyBody(wire::CountReply{view.below(r.path).size()});
  }

  Outcome operator()(const wire::EphemeralsRequest& r) {
    std::vector<std::string> paths = view.ephemerals(session);
    std::erase_if(paths, [&](const std::string& path) { return !path.starts_with(r.prefix); });
    return wire::ReplyBody(wire::EphemeralsReply{std::move(paths)});
  }

  Outcome operator()(const wire::GetAclRequest& r) {
    if (!is_path(r.path)) return refuse(ErrorCode::bad_arguments);
    const auto node = view.find(r.path);
    if (!node) return refuse(ErrorCode::no_node);
    if (!allows(node->acl, wire::Perm::admin) && !allows(node->acl, wire::Perm::read)) {
      return refuse(ErrorCode::no_auth);
    }
    return wire::ReplyBody(wire::AclReply{node->acl, node->stat});
  }

  Outcome operator()(const wire::SyncRequest& r) {
    if (!is_path(r.path)) return refuse(ErrorCode::bad_arguments);
    return wire::ReplyBody(wire::EmptyReply{});
  }

  // The model does not know the watch's id.
  Outcome operator()(const wire::WatchRequest& r) {
    auto exists = (*this)(wire::ExistsRequest{r.path, {}});
    if (!exists) return exists;
    const auto stat = std::get<wire::ExistsReply>(*exists).stat;
    if (r.scope != wire::WatchScope::turn) return wire::ReplyBody(wire::WatchReply{{}, stat});
    if (!stat) return refuse(ErrorCode::no_node);
    const auto turn = is_turn(view, r.path, r.turn);
    if (!turn) return refuse(ErrorCode::bad_arguments);
    if (!allows(view.find(parent_path(r.path))->acl, wire::Perm::read)) {
      return refuse(ErrorCode::no_auth);
    }
    return wire::ReplyBody(wire::WatchReply{{}, stat, *turn});
  }

  Outcome operator()(const wire::CloseRequest&) { return wire::ReplyBody(wire::ClosedReply{}); }
  Outcome operator()(const wire::PingRequest&) { return wire::ReplyBody(wire::PongReply{}); }
  template <class Request>
  Outcome operator()(const Request&) {
    return refuse(ErrorCode::unimplemented);
  }

  wire::Result<Znode> readable(const std::string& path) {
    if (!is_path(path)) return refuse(ErrorCode::bad_arguments);
    auto node = view.find(path);
    if (!node) return refuse(ErrorCode::no_node);
    if (!allows(node->acl, wire::Perm::read)) return refuse(ErrorCode::no_auth);
    return *std::move(node);
  }

  static bool is_other(std::int32_t wanted, std::int32_t version) {
    return wanted != wire::any_version && wanted != version;
  }
};

}  // namespace

wire::Result<wire::ReplyBody> perform(const wire::ClientRequest& request, wire::SessionId session,
                                      View& view) {
  return Performer{session, view}(request);
}

wire::Result<wire::ReplyBody> perform(const wire::Request& request, wire::SessionId session,
                                      View& view) {
  Performer performer{session, view};
  return std::visit(performer, request);
}

}  // namespace sim
