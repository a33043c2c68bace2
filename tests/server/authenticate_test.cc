#include "server/auth/authenticate.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace server {
namespace {

// From ZooKeeper's documentation of superDigest.
TEST_CASE("a digest equals that of ZooKeeper's DigestAuthenticationProvider") {
  CHECK(digest_of("super:super123") == "super:UdxDQl4f9v5oITwcAsO9bmWgHSI=");
  CHECK(digest_of("user:a:b").starts_with("user:"));
  CHECK(znode::is_digest_id(digest_of("user:a:b")));
}

TEST_CASE("authenticate adds identities, and refuses unknown schemes and large credentials") {
  const std::string super_digest = digest_of("super:secret");
  const auto by_address = znode::Identities::of({{"ip", "10.0.0.1"}});
  const auto authenticate_as = [&](const char* scheme, std::string token) {
    return authenticate({scheme, std::move(token)}, by_address, super_digest);
  };
  CHECK(authenticate_as("digest", "me:pw")->list() ==
        std::vector<wire::Identity>{{"ip", "10.0.0.1"}, {"digest", digest_of("me:pw")}});
  CHECK_FALSE(authenticate_as("digest", "super:wrong")->is_super());
  CHECK(authenticate_as("digest", "super:secret")->is_super());
  CHECK_FALSE(authenticate({"digest", "super:secret"}, by_address, "")->is_super());
  CHECK(*authenticate_as("ip", "anything") == by_address);
  for (const char* scheme : {"world", "super", "auth", "x509", "sasl", ""}) {
    CAPTURE(scheme);
    CHECK(authenticate_as(scheme, "me").error().code == wire::ErrorCode::auth_failed);
  }
  CHECK(authenticate_as("digest", std::string(znode::token_bytes_max + 1, 'x')).error() ==
        wire::Error{wire::ErrorCode::too_large, "token: longer than 1024 bytes"});
  // The identity has the user, a colon and 28 characters of hash.
  CHECK(authenticate_as("digest", std::string(227, 'x') + ":" + std::string(700, 'p')).has_value());
  CHECK(authenticate_as("digest", std::string(228, 'x') + ":p").error() ==
        wire::Error{wire::ErrorCode::too_large,
                    "token: its user makes an identity of 257 bytes, more than 256"});

  znode::Identities many = by_address;
  wire::Result<znode::Identities> more = many;
  for (int i = 0; more && i < 1000; ++i) {
    more = authenticate({"digest", std::to_string(i) + ":"}, many, "");
    if (more) many = *more;
  }
  CHECK(more.error().code == wire::ErrorCode::too_large);
  CHECK(many.list().size() == znode::identities_max);
  CHECK(*authenticate({"digest", "0:"}, many, "") == many);

  CHECK(whoami(*authenticate_as("digest", "me:pw")).identities ==
        std::vector<wire::Identity>{{"world", "anyone"}, {"ip", "10.0.0.1"}, {"digest", "me"}});
}

}  // namespace
}  // namespace server
