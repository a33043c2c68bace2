#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "wire/replies.h"

namespace znode {

// Limits: the identities of one caller, the bytes of an id (also in an ACL), and the bytes of a
// token that proves an identity (`server/auth` checks that one; it stands here beside the others).
// Stored values, and values from other servers, may exceed these limits.
inline constexpr std::size_t identities_max = 16;
inline constexpr std::size_t identity_bytes_max = 256;
inline constexpr std::size_t token_bytes_max = 1024;

// The identities of a caller. (Every caller is world:anyone too.) Immutable; copies share one list.
class Identities {
 public:
  Identities() = default;
  [[nodiscard]] static Identities of(std::vector<wire::Identity> list);

  [[nodiscard]] const std::vector<wire::Identity>& list() const;
  // A super identity passes every ACL.
  [[nodiscard]] bool is_super() const;
  // These identities and `more`, without duplicates.
  [[nodiscard]] Identities with(const std::vector<wire::Identity>& more) const;

  bool operator==(const Identities& other) const { return list() == other.list(); }

 private:
  std::shared_ptr<const std::vector<wire::Identity>> list_;  // null: none
};

// Whether `id` has the form of a digest identity: "user:hash".
[[nodiscard]] bool is_digest_id(std::string_view id);

}  // namespace znode
