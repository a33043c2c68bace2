#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "wire/bytes.h"
#include "wire/records.h"
#include "wire/requests.h"
#include "wire/result.h"

// Transactions: operations that were judged and cannot fail any more. They mean the same on every
// server, for all that could differ is decided: final paths, owners, versions.
namespace znode {

struct CreateTxn {
  std::string path;                  // with the sequence number, if any
  std::vector<std::string> parents;  // created before it, empty of data; the topmost first
  wire::Bytes data;
  wire::SessionId ephemeral_owner;

  bool operator==(const CreateTxn&) const = default;
};

struct SetTxn {
  std::string path;
  wire::Bytes data;
  std::int32_t version = 0;  // that the node then has
  bool creates = false;      // the node is new

  bool operator==(const SetTxn&) const = default;
};

struct DeleteTxn {
  std::string path;
  std::uint32_t descendants = 0;  // that go with it

  bool operator==(const DeleteTxn&) const = default;
};

// Many childless nodes: what a session leaves behind.
struct DeleteManyTxn {
  std::vector<std::string> paths;

  bool operator==(const DeleteManyTxn&) const = default;
};

// Within a multi only: was judged, and changes nothing.
struct CheckTxn {
  bool operator==(const CheckTxn&) const = default;
};

// The reads of a multi are answered where they stand among its changes.
using MultiTxnOp =
    std::variant<CreateTxn, SetTxn, DeleteTxn, CheckTxn, wire::GetRequest, wire::ChildrenRequest>;

struct MultiTxn {
  std::vector<MultiTxnOp> ops;

  bool operator==(const MultiTxn&) const = default;
};

using Txn = std::variant<CreateTxn, SetTxn, DeleteTxn, DeleteManyTxn, MultiTxn>;

// The form in which a transaction is proposed and logged; the first octet is the form's version.
void encode(const Txn& txn, wire::Bytes& out);
// Takes one transaction from `in`, or says MarshallingError.
[[nodiscard]] wire::Result<Txn> decode_txn(wire::ByteReader& in);

}  // namespace znode
