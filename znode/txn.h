#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "wire/bytes.h"
#include "wire/records.h"
#include "wire/requests.h"
#include "wire/result.h"
#include "znode/identity.h"
#include "znode/node.h"

// Transactions: operations that were judged and cannot fail any more. They mean the same on every
// server, for all that could differ is decided: final paths, owners, versions.
namespace znode {

struct CreateTxn {
  std::string path;                  // with the sequence number, if any
  std::vector<std::string> parents;  // created before it, empty of data; the topmost first
  wire::Bytes data;
  Lifetime lifetime;             // parents are persistent
  std::optional<wire::Acl> acl;  // of all of them; absent: open

  bool operator==(const CreateTxn&) const = default;
};

struct SetTxn {
  std::string path;
  wire::Bytes data;
  std::int32_t version = 0;          // that the node then has
  bool creates = false;              // the node is new
  std::vector<std::string> parents;  // created before it, as of a CreateTxn

  bool operator==(const SetTxn&) const = default;
};

// It may say no more than this: transactions are applied in the order of their plans, so that what
// is below is what the plan saw.
struct DeleteTxn {
  std::string path;
  std::uint32_t descendants = 0;  // that go with it

  bool operator==(const DeleteTxn&) const = default;
};

// The ephemeral nodes of a session.
struct CleanupTxn {
  wire::SessionId session;
  std::uint32_t count = 0;

  bool operator==(const CleanupTxn&) const = default;
};

// Many childless nodes.
struct DeleteManyTxn {
  std::vector<std::string> paths;

  bool operator==(const DeleteManyTxn&) const = default;
};

struct SetAclTxn {
  std::string path;
  wire::Acl acl;
  std::int32_t aversion = 0;  // that the node then has

  bool operator==(const SetAclTxn&) const = default;
};

// Within a multi only: was judged, and changes nothing.
struct CheckTxn {
  bool operator==(const CheckTxn&) const = default;
};

// Within a multi only. Which of the children may be looked into depends on who asks; nobody where
// it does not matter.
struct ChildrenTxn {
  wire::ChildrenRequest request;
  Identities identities;

  bool operator==(const ChildrenTxn&) const = default;
};

// The reads of a multi are answered where they stand among its changes.
using MultiTxnOp =
    std::variant<CreateTxn, SetTxn, DeleteTxn, CheckTxn, wire::GetRequest, ChildrenTxn>;

struct MultiTxn {
  std::vector<MultiTxnOp> ops;

  bool operator==(const MultiTxn&) const = default;
};

using Txn =
    std::variant<CreateTxn, SetTxn, DeleteTxn, CleanupTxn, DeleteManyTxn, SetAclTxn, MultiTxn>;

// The form in which a transaction is proposed and logged; the first byte is the form's version.
void encode(const Txn& txn, wire::Bytes& out);
// Takes one transaction from `in`, or says MarshallingError.
[[nodiscard]] wire::Result<Txn> decode_txn(wire::ByteReader& in);

}  // namespace znode
