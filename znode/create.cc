#include <array>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>

#include "znode/operations.h"
#include "znode/path.h"
#include "znode/refuse.h"

namespace znode {
namespace {

using wire::Error;
using wire::ErrorCode;

// Ten digits, zero-padded; eleven characters for the lowest numbers after the counter has wrapped.
std::string sequence(std::int32_t creations) {
  std::array<char, 12> text{};
  std::snprintf(text.data(), text.size(), "%010d", creations);
  return text.data();
}

wire::Result<void> check_kind(const wire::CreateRequest& request) {
  if (request.ttl_ms) return Error{ErrorCode::unimplemented, "ttlMs: TTL nodes are not there yet"};
  if (request.container) {
    return Error{ErrorCode::unimplemented, "container: containers are not there yet"};
  }
  if (!request.acl) return {};
  if (request.acl->empty()) return Error{ErrorCode::invalid_acl, "acl: the list is empty"};
  if (*request.acl != wire::open_acl()) {
    return Error{ErrorCode::unimplemented,
                 "acl: lists other than world:anyone:cdrwa are not there yet"};
  }
  return {};
}

Node& hang(std::string_view path, std::string_view data, wire::SessionId owner, const Moment& now,
           Tree& tree, Changes& changes) {
  Node& node = tree.insert(path, data, owner);
  node.czxid = node.mzxid = node.pzxid = now.zxid;
  node.ctime = node.mtime = now.time;

  Node& parent = tree.at(parent_of(path));
  parent.creations = next_creation(parent.creations);
  parent.pzxid = now.zxid;

  changes.created(path);
  return node;
}

}  // namespace

wire::Result<CreateTxn> plan(const wire::CreateRequest& request, const Caller& caller,
                             Draft& draft) {
  // A sequential node's path may end in a slash: its name is then the number alone.
  const std::string shape = request.path + (request.sequential ? sequence(0) : "");
  if (auto kind = check_kind(request); !kind) return kind.error();
  if (auto valid = validate(shape); !valid) return valid.error();
  if (is_reserved(shape)) return reserved(request.path);

  CreateTxn txn;
  std::string_view above = parent_of(shape);
  std::optional<PendingNode> parent = draft.find(above);
  while (!parent && request.parents) {
    txn.parents.emplace(txn.parents.begin(), above);
    above = parent_of(above);
    parent = draft.find(above);
  }
  if (!parent) return no_node(above);

  const std::int32_t number = txn.parents.empty() ? parent->creations : 0;
  txn.path = request.path + (request.sequential ? sequence(number) : "");
  if (draft.find(txn.path)) return refuse(ErrorCode::node_exists, txn.path, "already exists");
  if (!parent->ephemeral_owner.none()) return parent_is_ephemeral(above);

  txn.data = request.data;
  if (request.ephemeral) txn.ephemeral_owner = caller.session;
  for (const std::string& missing : txn.parents) draft.create(missing, {});
  draft.create(txn.path, txn.ephemeral_owner);
  return txn;
}

wire::CreateReply apply(const CreateTxn& txn, const Moment& now, Tree& tree, Changes& changes) {
  for (const std::string& parent : txn.parents) hang(parent, "", {}, now, tree, changes);
  const Node& node = hang(txn.path, txn.data, txn.ephemeral_owner, now, tree, changes);
  return {txn.path, node.stat()};
}

}  // namespace znode
