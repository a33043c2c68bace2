#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "wire/bytes.h"
#include "wire/forms.h"
#include "wire/records.h"
#include "wire/replies.h"
#include "wire/requests.h"
#include "wire/result.h"
#include "znode/identity.h"
#include "znode/node.h"

// Transactions are operations that were planned and cannot fail any more. They have the same effect
// on all servers, because everything that could differ is decided: final paths, owners, versions.
namespace znode {

struct CreateTxn {
  std::string path;  // with the sequence number, if any
  // Nodes that are created before this one, without data; the topmost first. If this one is the
  // limits node of a quota, the last of them may be the quota's stats node.
  std::vector<std::string> parents;
  wire::Bytes data;
  Lifetime lifetime;  // parents are persistent
  SharedAcl acl;      // of the node and the new parents

  bool operator==(const CreateTxn&) const = default;
};

struct SetTxn {
  std::string path;
  wire::Bytes data;
  std::int32_t version = 0;          // the node's new version
  bool creates = false;              // the node is new
  std::vector<std::string> parents;  // created before it, as in CreateTxn

  bool operator==(const SetTxn&) const = default;
};

// The number of nodes is enough: transactions are applied in the order of their plans, so the
// subtree is the one that the plan saw.
struct DeleteTxn {
  std::string path;
  std::uint32_t descendants = 0;  // deleted with it

  bool operator==(const DeleteTxn&) const = default;
};

// Deletes the ephemeral nodes of a session.
struct CleanupTxn {
  wire::SessionId session;
  std::uint32_t count = 0;

  bool operator==(const CleanupTxn&) const = default;
};

// Deletes many childless nodes.
struct DeleteManyTxn {
  std::vector<std::string> paths;

  bool operator==(const DeleteManyTxn&) const = default;
};

struct SetAclTxn {
  std::string path;
  wire::Acl acl;
  std::int32_t aversion = 0;  // the node's new ACL version

  bool operator==(const SetAclTxn&) const = default;
};

// Only within a multi: the check succeeded when it was planned, and changes nothing.
struct CheckTxn {
  bool operator==(const CheckTxn&) const = default;
};

// Only within a multi. `identities` decide which children's stat and data the caller may see; empty
// if the request does not ask for them.
struct ChildrenTxn {
  wire::ChildrenRequest request;
  Identities identities;

  bool operator==(const ChildrenTxn&) const = default;
};

// The reads of a multi see the changes before them, and not those after them.
using MultiTxnOp =
    std::variant<CreateTxn, SetTxn, DeleteTxn, CheckTxn, wire::GetRequest, ChildrenTxn>;

struct MultiTxn {
  std::vector<MultiTxnOp> ops;
  // The size of all lists of children together, at most, as a ReplyBudget counts. A list that has
  // grown since the plan ends early.
  std::uint32_t list_bytes_max = std::numeric_limits<std::uint32_t>::max();
  // The reply is too large to be kept for `dedup`: only a receipt is kept.
  bool keeps_receipt = false;
  std::optional<wire::Branch> branch = {};  // see wire::MultiReply

  bool operator==(const MultiTxn&) const = default;
};

using Txn =
    std::variant<CreateTxn, SetTxn, DeleteTxn, CleanupTxn, DeleteManyTxn, SetAclTxn, MultiTxn>;

// The form in which transactions are proposed and logged. The first byte is its version.
void encode(const Txn& txn, const wire::Forms& forms, wire::Bytes& out);
// Reads one transaction from `in`. Returns Unimplemented for a version that is not known (`newest`:
// the newest versions that are known), and MarshallingError for other invalid bytes.
[[nodiscard]] wire::Result<Txn> decode_txn(wire::ByteReader& in,
                                           const wire::Forms& newest = wire::newest_forms);

}  // namespace znode
