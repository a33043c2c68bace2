#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "wire/bytes.h"
#include "wire/result.h"
#include "znode/node.h"

namespace znode {

// One node as it is stored under its serial number.
struct NodeRecord {
  std::uint64_t serial = 0;
  std::optional<wire::Bytes> bytes;  // none: the node was deleted

  bool operator==(const NodeRecord&) const = default;
};

// A decoded record. Name and data are views into its bytes.
struct StoredNode {
  std::uint64_t parent = 0;  // the parent's serial number; 0 for the root
  NodeFields fields;
  Lifetime lifetime;
  SharedAcl acl;
  std::string_view name;
  std::string_view data;
};

// `version`: wire::Forms::node.
[[nodiscard]] wire::Bytes encode(const Node& node, std::uint8_t version);
// Returns Unimplemented if the version of `bytes` is unknown, and MarshallingError if they are not
// a valid record. Limits are not judged here: an earlier one may have allowed more.
[[nodiscard]] wire::Result<StoredNode> decode_node(std::string_view bytes);

}  // namespace znode
