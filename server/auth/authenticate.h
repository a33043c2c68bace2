#pragma once

#include <string>
#include <string_view>

#include "wire/replies.h"
#include "wire/requests.h"
#include "wire/result.h"
#include "znode/identity.h"

namespace server {

// The id of scheme `digest` for the token "user:password", as ZooKeeper has it:
// "user:base64(sha1(user:password))".
[[nodiscard]] std::string digest_of(std::string_view token);

// The identities of a connection after `auth`, given those that it has. AuthFailed if the request
// proves nothing; TooLarge if the token is too long, or the connection has too many identities.
// `super_digest` is the digest id of the super user; empty: there is none.
[[nodiscard]] wire::Result<znode::Identities> authenticate(const wire::AuthRequest& auth,
                                                           const znode::Identities& known,
                                                           std::string_view super_digest);

// The reply to `whoami`. It has only the user of a digest: the hash could be used to guess the
// password.
[[nodiscard]] wire::WhoamiReply whoami(const znode::Identities& identities);

}  // namespace server
