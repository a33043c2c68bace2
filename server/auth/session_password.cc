#include "server/auth/session_password.h"

#include <array>

#include <openssl/evp.h>
#include <openssl/rand.h>

#include "wire/ensure.h"
#include "wire/zxid.h"

namespace server {

std::uint64_t random_number() {
  std::uint64_t number = 0;
  ensure(RAND_bytes(reinterpret_cast<unsigned char*>(&number), sizeof(number)) == 1,
         "OpenSSL has random numbers");
  return number;
}

znode::HashKey new_hash_key() {
  znode::HashKey::Secret secret{};
  ensure(RAND_bytes(secret.data(), static_cast<int>(secret.size())) == 1,
         "OpenSSL has random numbers");
  return znode::HashKey(secret);
}

std::string new_password() { return wire::to_hex(random_number()) + wire::to_hex(random_number()); }

std::optional<session::SecretHash> hash_password(std::string_view password) {
  if (password.size() != 32) return std::nullopt;
  if (!wire::from_hex(password.substr(0, 16)) || !wire::from_hex(password.substr(16))) {
    return std::nullopt;
  }
  session::SecretHash hash{};
  unsigned int length = 0;
  ensure(EVP_Digest(password.data(), password.size(), hash.data(), &length, EVP_sha256(),
                    nullptr) == 1 &&
             length == hash.size(),
         "OpenSSL computes SHA-256");
  return hash;
}

}  // namespace server
