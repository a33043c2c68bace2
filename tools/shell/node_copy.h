#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "wire/records.h"
#include "wire/requests.h"

namespace shell {

// The parts of a node that are copied or exported.
struct NodeCopy {
  enum class Kind : std::uint8_t { persistent, container, ttl, ephemeral };

  std::string path;  // below the top of the subtree, as `a/b`; `.` is the top itself
  wire::Bytes data = {};
  Kind kind = Kind::persistent;
  std::optional<std::int64_t> ttl_ms = {};
  std::optional<wire::Acl> acl = {};  // none: open to everybody
  wire::Zxid mzxid = {};              // of the source

  bool operator==(const NodeCopy&) const = default;
};

// What to do with a node that already exists at the place of a copy.
enum class Existing : std::uint8_t { refuse, skip, overwrite };

inline constexpr std::string_view top_of_subtree = ".";

// The path of a node in the subtree of `top`.
[[nodiscard]] std::string path_below(std::string_view top, std::string_view relative);

enum class Parents : std::uint8_t { must_exist, are_created };
// The request that creates a copy. An ephemeral node becomes a persistent one.
[[nodiscard]] wire::CreateRequest create_request(const NodeCopy& node, std::string path,
                                                 Parents parents);

// About how many bytes it takes in a request.
[[nodiscard]] std::size_t bytes_of(const NodeCopy& node);

// Whether the server has hidden a password hash of the ACL, because this client may not change the
// ACL. A copy without the hash would lock its users out.
[[nodiscard]] bool has_hidden_hash(const wire::Acl& acl);

}  // namespace shell
