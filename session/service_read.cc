#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "session/not_open.h"
#include "session/service.h"
#include "znode/path.h"
#include "znode/sibling.h"

// The part of Service that answers reads, from the state and the watches of this server.
namespace session {
namespace {

using wire::Error;
using wire::ErrorCode;

// A turn shows how many siblings a node has, so it needs the permission that their list needs.
wire::Result<void> may_list(std::string_view parent, const znode::Caller& caller,
                            const znode::Tree& tree) {
  const znode::Node* node = tree.find(parent);
  if (node == nullptr || znode::allows(node->acl(), caller.identities, wire::Perm::read)) return {};
  return Error{ErrorCode::no_auth,
               "a turn among the children of " + std::string(parent) + " needs the permission r"};
}

// Null if the list needs no index of the numbers, or is refused anyway.
wire::Result<Turns::Siblings> siblings_of(const wire::ChildrenRequest& request,
                                          const znode::Caller& caller, const znode::Tree& tree,
                                          Watches& watches) {
  if (request.order != wire::ChildOrder::sequence) return Turns::Siblings{};
  const znode::Node* node = tree.find(request.path);
  if (node == nullptr || !znode::allows(node->acl(), caller.identities, wire::Perm::read) ||
      !znode::check_bounds(request)) {
    return Turns::Siblings{};
  }
  return watches.siblings(tree, request.path);
}

// Answers reads, and removes watches. It sets no watches but those of turns.
struct Reader {
  const znode::Caller& caller;
  const wire::RequestId& id;
  const znode::Tree& tree;
  Watches& watches;
  znode::ReplyBudget budget;

  using Reply = wire::Result<wire::ReplyBody>;

  template <class Result>
  static Reply widen(Result result) {
    if (!result) return std::move(result).error();
    return wire::ReplyBody(*std::move(result));
  }

  Reply operator()(const wire::GetRequest& request) {
    return widen(znode::read(request, caller, tree, budget));
  }
  Reply operator()(const wire::ExistsRequest& request) {
    return widen(znode::read(request, caller, tree));
  }
  Reply operator()(const wire::ChildrenRequest& request) {
    auto siblings = siblings_of(request, caller, tree, watches);
    if (!siblings) {
      watches.count_refused_index();
      return siblings.error();
    }
    if (siblings->is_known) {
      return Error{ErrorCode::overloaded, "the numbers of the children of " + request.path +
                                              " are being indexed: send the request again"};
    }
    return widen(znode::read(request, caller, tree, budget, siblings->all));
  }
  Reply operator()(const wire::CountRequest& request) {
    return widen(znode::read(request, caller, tree));
  }
  Reply operator()(const wire::GetAclRequest& request) {
    return widen(znode::read(request, caller, tree));
  }
  Reply operator()(const wire::EphemeralsRequest& request) {
    return widen(znode::read(request, caller, tree, budget));
  }
  // Only for a multi of reads. All of them see the same state.
  Reply operator()(const wire::MultiRequest& request) {
    return wire::ReplyBody(znode::read(request, caller, tree, budget));
  }
  // The caller has made sure that this server has caught up.
  Reply operator()(const wire::SyncRequest& request) {
    if (auto valid = znode::validate(request.path); !valid) return valid.error();
    return wire::ReplyBody(wire::EmptyReply{});
  }
  Reply operator()(const wire::WatchRequest& request) {
    if (request.scope == wire::WatchScope::turn) return watch_turn(request);
    auto exists = znode::read(wire::ExistsRequest{request.path, {}}, caller, tree);
    if (!exists) return exists.error();
    return wire::ReplyBody(wire::WatchReply{id, exists->stat});
  }
  Reply operator()(const wire::UnwatchRequest& request) {
    if (auto removed = watches.remove(caller.session, request.watch); !removed)
      return removed.error();
    return wire::ReplyBody(wire::EmptyReply{});
  }
  template <class Request>
  Reply operator()(const Request&) {
    return Error{ErrorCode::unimplemented, "this request is not supported"};
  }

  // Sets the watch too: whether it is needed, and what it is told, must be one decision.
  Reply watch_turn(const wire::WatchRequest& request) {
    auto exists = znode::read(wire::ExistsRequest{request.path, {}}, caller, tree);
    if (!exists) return exists.error();
    if (!exists->stat) {
      return Error{ErrorCode::no_node, request.path + " does not exist"};
    }
    if (!znode::sibling_of(znode::name_of(request.path))) {
      return Error{ErrorCode::bad_arguments,
                   "path: the name of " + request.path + " does not end in ten digits"};
    }
    if (auto allowed = may_list(znode::parent_of(request.path), caller, tree); !allowed) {
      return allowed.error();
    }
    auto checked = watches.check_turn(caller.session, id, request.path, request.turn, tree, false);
    if (!checked) return checked.error();
    const bool turn =
        watches.ask_turn(caller.session, id, request.path, request.turn, caller.identities, tree);
    return wire::ReplyBody(wire::WatchReply{id, exists->stat, turn});
  }
};

}  // namespace

wire::Result<Answer> Service::read(const znode::Caller& caller, const wire::RequestId& id,
                                   const wire::Request& request, wire::Encoding encoding) {
  if (!sessions_.find(caller.session) && !is_local(caller.session)) return not_open(caller.session);
  auto reply = std::visit(Reader{caller, id, tree_, watches_, znode::ReplyBudget(reply_bytes_max_)},
                          request);
  if (!reply) return std::move(reply).error();

  Answer answer{.events = {}, .reply = *std::move(reply)};
  if (std::optional<Watch> watch = watch_of(request)) {
    watch->encoding = encoding;
    auto missed = watches_.add(caller.session, id, *std::move(watch), caller.identities);
    if (!missed) return std::move(missed).error();
    answer.events = *std::move(missed);
  }
  return answer;
}

std::shared_ptr<const bool> Service::awaited_index(const znode::Caller& caller,
                                                   const wire::Request& request) {
  const auto* list = std::get_if<wire::ChildrenRequest>(&request);
  if (list == nullptr) return nullptr;
  const auto siblings = siblings_of(*list, caller, tree_, watches_);
  return siblings ? siblings->is_known : nullptr;
}

wire::Result<void> Service::reserve_turn(const znode::Caller& caller, const wire::RequestId& id,
                                         std::string_view path, const wire::TurnOptions& options) {
  const std::size_t slash = path.rfind('/');
  if (slash == path.npos) return {};  // the leader refuses it
  const std::string_view parent = path.substr(0, std::max<std::size_t>(slash, 1));
  if (auto allowed = may_list(parent, caller, tree_); !allowed) return allowed;
  return watches_.reserve(caller.session, id, path, options, caller.identities, tree_);
}

std::vector<wire::WatchEvent> Service::tell_turn(const znode::Caller& caller,
                                                 const wire::RequestId& id,
                                                 wire::Result<wire::ReplyBody>& reply,
                                                 const wire::TurnOptions& options) {
  const bool was_reserved = watches_.release(caller.session, id);
  auto* created = reply ? std::get_if<wire::CreateReply>(&*reply) : nullptr;
  if (created == nullptr) return {};
  if (!sessions_.find(caller.session)) {  // nothing more is told
    created->turn = false;
    return {};
  }
  if (!znode::sibling_of(znode::name_of(created->path))) return {};
  const znode::Node* node = tree_.find(created->path);
  if (node == nullptr || wire::Zxid(node->czxid) != created->stat.czxid) {
    created->turn = false;
    return {{.watch = id,
             .kind = wire::EventKind::deleted,
             .path = created->path,
             .zxid = applied_,
             .data = {},
             .stat = {}}};
  }
  // A create that is repeated may not have asked for a turn before.
  if (!was_reserved) {
    if (!may_list(znode::parent_of(created->path), caller, tree_)) return {};
    if (!watches_.check_turn(caller.session, id, created->path, options, tree_, true)) return {};
  }
  created->turn =
      watches_.ask_turn(caller.session, id, created->path, options, caller.identities, tree_);
  return {};
}

std::vector<wire::SessionId> Service::index_turns(const EventSink& sink) {
  watches_.index_turns(tree_);
  return watches_.tell_turns(tree_, sink);
}

std::vector<wire::SessionId> Service::tick_turns(const EventSink& sink) {
  watches_.tick_turns(tree_);
  return watches_.tell_turns(tree_, sink);
}

}  // namespace session
