#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wire/bytes.h"
#include "wire/zxid.h"

namespace wire {

// Milliseconds since the Unix epoch.
using TimeMs = std::int64_t;

// The id of a session; 0 is none. It is the zxid of the transaction that opened the session, so no
// id is used twice.
struct SessionId {
  std::uint64_t value = 0;

  [[nodiscard]] constexpr bool none() const { return value == 0; }
  constexpr auto operator<=>(const SessionId&) const = default;
};

// Matches every version. The default of requests.
inline constexpr std::int32_t any_version = -1;

// The metadata of a znode. Every field has the meaning of ZooKeeper's.
struct Stat {
  Zxid czxid;                    // created by
  Zxid mzxid;                    // data last changed by
  Zxid pzxid;                    // children last created or deleted by
  TimeMs ctime = 0;              // created at
  TimeMs mtime = 0;              // data last changed at
  std::int32_t version = 0;      // changes of the data
  std::int32_t cversion = 0;     // creations and deletions of children
  std::int32_t aversion = 0;     // changes of the ACL
  SessionId ephemeral_owner;     // none unless the node is ephemeral
  std::int32_t data_length = 0;  // bytes
  std::int32_t num_children = 0;
  std::optional<std::int64_t> ttl_ms;  // set on TTL nodes only
  bool container = false;

  bool operator==(const Stat&) const = default;
};

enum class Perm : std::uint8_t { read = 1, write = 2, create = 4, remove = 8, admin = 16 };

struct AclEntry {
  std::string scheme;
  std::string id;
  std::uint8_t perms = 0;  // a sum of Perm

  bool operator==(const AclEntry&) const = default;
};
using Acl = std::vector<AclEntry>;

// world:anyone:cdrwa, the ACL of a node that was created without one.
[[nodiscard]] const Acl& open_acl();

// Converts the bits of AclEntry::perms to letters of "cdrwa", and back. Nothing if there is any
// other letter.
[[nodiscard]] std::string perm_letters(std::uint8_t perms);
[[nodiscard]] std::optional<std::uint8_t> perms_of(std::string_view letters);

}  // namespace wire
