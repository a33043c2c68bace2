#include "server/auth/authenticate.h"

#include <array>
#include <utility>
#include <vector>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "wire/base64.h"
#include "wire/ensure.h"

namespace server {
namespace {

using wire::Error;
using wire::ErrorCode;

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace

std::string digest_of(std::string_view token) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> hash{};
  unsigned int size = 0;
  ensure(EVP_Digest(token.data(), token.size(), hash.data(), &size, EVP_sha1(), nullptr) == 1,
         "OpenSSL computes SHA-1");
  std::string digest(token.substr(0, token.find(':')));
  digest += ':';
  wire::append_base64({reinterpret_cast<const char*>(hash.data()), size}, digest);
  return digest;
}

wire::Result<znode::Identities> authenticate(const wire::AuthRequest& auth,
                                             const znode::Identities& known,
                                             std::string_view super_digest) {
  if (auth.token.size() > znode::token_bytes_max) {
    return Error{ErrorCode::too_large,
                 "token: longer than " + std::to_string(znode::token_bytes_max) + " bytes"};
  }
  // Every connection has the identity of its address already.
  if (auth.scheme == "ip") return known;
  if (auth.scheme == "x509") {
    return Error{ErrorCode::auth_failed, "scheme \"x509\": the connection has no certificate"};
  }
  if (auth.scheme != "digest") {
    return Error{ErrorCode::auth_failed,
                 "scheme \"" + auth.scheme.substr(0, 64) + "\" is not known"};
  }
  std::vector<wire::Identity> proved{{"digest", digest_of(auth.token)}};
  if (proved.front().id.size() > znode::identity_bytes_max) {
    return Error{ErrorCode::too_large, "token: its user makes an identity of " +
                                           std::to_string(proved.front().id.size()) +
                                           " bytes, more than " +
                                           std::to_string(znode::identity_bytes_max)};
  }
  if (!super_digest.empty() && equal_in_constant_time(proved.front().id, super_digest)) {
    proved.insert(proved.begin(), {"super", ""});
  }
  znode::Identities all = known.with(proved);
  if (all.list().size() > znode::identities_max) {
    return Error{ErrorCode::too_large, "a connection has at most " +
                                           std::to_string(znode::identities_max) + " identities"};
  }
  return all;
}

wire::WhoamiReply whoami(const znode::Identities& identities) {
  wire::WhoamiReply reply{{{"world", "anyone"}}};
  for (const wire::Identity& each : identities.list()) {
    const bool is_digest = each.scheme == "digest";
    reply.identities.push_back(
        {each.scheme, is_digest ? each.id.substr(0, each.id.find(':')) : each.id});
  }
  return reply;
}

}  // namespace server
