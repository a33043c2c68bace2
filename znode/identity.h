#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wire/replies.h"
#include "wire/requests.h"
#include "wire/result.h"

namespace znode {

// More than these, and longer ids or tokens, are refused.
inline constexpr std::size_t identities_max = 64;
inline constexpr std::size_t identity_bytes_max = 1024;

// Who a connection has shown to be, besides world:anyone, which everybody is. A handle: copies
// share one list.
class Identities {
 public:
  Identities() = default;
  [[nodiscard]] static Identities of(std::vector<wire::Identity> list);

  [[nodiscard]] const std::vector<wire::Identity>& list() const;
  // Passes every check.
  [[nodiscard]] bool is_super() const;
  // These and `more`, each once.
  [[nodiscard]] Identities with(const std::vector<wire::Identity>& more) const;

  bool operator==(const Identities& other) const { return list() == other.list(); }

 private:
  std::shared_ptr<const std::vector<wire::Identity>> list_;  // null: none
};

// "user:base64(sha1(user:password))" of "user:password", as ZooKeeper's digest scheme has it.
[[nodiscard]] std::string digest_of(std::string_view token);
// Whether `id` could be such a digest.
[[nodiscard]] bool is_digest_id(std::string_view id);

// What `auth` shows its connection to be; AuthFailed where it shows nothing. `super_digest` is the
// digest of who may do everything; nobody if empty. TooLarge where `known` is full.
[[nodiscard]] wire::Result<Identities> authenticate(const wire::AuthRequest& auth,
                                                    const Identities& known,
                                                    std::string_view super_digest);

// What `whoami` answers: of a digest the user only.
[[nodiscard]] wire::WhoamiReply whoami(const Identities& identities);

// "10.0.0.0/8": an address of either family, and how many of its bits count. An IPv4 address in
// IPv6's clothes (::ffff:10.0.0.1) is the IPv4 address.
class Network {
 public:
  // Nothing unless `text` is an address or address/bits.
  [[nodiscard]] static std::optional<Network> of(std::string_view text);
  [[nodiscard]] bool contains(std::string_view address) const;

 private:
  std::string octets_;  // 4 or 16
  unsigned bits_ = 0;
};

}  // namespace znode
