#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "wire/bytes.h"
#include "wire/result.h"
#include "znode/node.h"

namespace znode {

// One node as it is stored, under its serial number; nothing where the node is gone.
struct NodeRecord {
  std::uint64_t serial = 0;
  std::optional<wire::Bytes> bytes;

  bool operator==(const NodeRecord&) const = default;
};

// What the bytes say. Name and data are views into them.
struct StoredNode {
  std::uint64_t parent = 0;  // its serial number; 0: there is none
  NodeFields fields;
  Lifetime lifetime;
  SharedAcl acl;
  std::string_view name;
  std::string_view data;
};

[[nodiscard]] wire::Bytes encode(const Node& node);
// MarshallingError if `bytes` are no node.
[[nodiscard]] wire::Result<StoredNode> decode_node(std::string_view bytes);

}  // namespace znode
