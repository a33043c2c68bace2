#include "znode/acl.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tests/znode/world.h"

namespace znode {
namespace {

using wire::Acl;
using wire::ErrorCode;
using wire::Identity;
using wire::Perm;

constexpr unsigned letter(Perm perm) { return static_cast<unsigned>(perm); }

const Identities anonymous;
const auto alice = Identities::of({{"ip", "10.1.2.3"}, {"digest", "alice:hash"}});
const auto bob = Identities::of({{"ip", "10.1.2.4"}, {"digest", "bob:hash"}});
const auto super = Identities::of({{"ip", "10.9.9.9"}, {"super", ""}});

TEST_CASE("resolve accepts valid ACLs, replaces auth, drops duplicates, and refuses others") {
  struct Row {
    const char* list;
    Acl acl;
    const char* error;  // null: it is valid
    Acl resolved;
  };
  const auto both =
      Identities::of({{"ip", "1.1.1.1"}, {"digest", "a:x"}, {"x509", "CN=a"}, {"super", ""}});
  for (const Row& row : {
           Row{"an empty list", {}, "acl: the list is empty", {}},
           Row{"everybody", {{"world", "anyone", 31}}, nullptr, {{"world", "anyone", 31}}},
           Row{"a world id that is not anyone",
               {{"world", "me", 31}},
               "acl[0]: id \"me\" of scheme world is not anyone",
               {}},
           Row{"an unknown scheme",
               {{"world", "anyone", 1}, {"sasl", "me", 1}},
               "acl[1]: scheme \"sasl\" is unknown",
               {}},
           Row{"super", {{"super", "", 1}}, "acl[0]: scheme \"super\" is unknown", {}},
           Row{"no hash",
               {{"digest", "me", 1}},
               "acl[0]: id \"me\" of scheme digest is not user:hash",
               {}},
           Row{"two colons",
               {{"digest", "a:b:c", 1}},
               "acl[0]: id \"a:b:c\" of scheme digest is not user:hash",
               {}},
           Row{"no address",
               {{"ip", "10.0.0", 1}},
               "acl[0]: id \"10.0.0\" of scheme ip is not address[/bits]",
               {}},
           Row{"too many bits",
               {{"ip", "10.0.0.0/33", 1}},
               "acl[0]: id \"10.0.0.0/33\" of scheme ip is not address[/bits]",
               {}},
           Row{"networks",
               {{"ip", "10.0.0.0/8", 1}, {"ip", "fe80::/10", 2}},
               nullptr,
               {{"ip", "10.0.0.0/8", 1}, {"ip", "fe80::/10", 2}}},
           Row{"a distinguished name",
               {{"x509", "CN=a\\,b,O=c", 1}},
               nullptr,
               {{"x509", "CN=a\\,b,O=c", 1}}},
           Row{"no distinguished name",
               {{"x509", "me", 1}},
               "acl[0]: id \"me\" of scheme x509 is not a distinguished name",
               {}},
           Row{"the same twice",
               {{"ip", "1.2.3.4", 1}, {"ip", "1.2.3.4", 1}},
               nullptr,
               {{"ip", "1.2.3.4", 1}}},
           Row{"auth: the caller's identities besides its address",
               {{"auth", "", 3}, {"world", "anyone", 1}},
               nullptr,
               {{"digest", "a:x", 3}, {"x509", "CN=a", 3}, {"world", "anyone", 1}}},
       }) {
    CAPTURE(row.list);
    const auto resolved = resolve(row.acl, both);
    CHECK(resolved.has_value() == (row.error == nullptr));
    if (resolved) {
      CHECK(resolved->list() == row.resolved);
    } else {
      CHECK(resolved.error() == wire::Error{ErrorCode::invalid_acl, row.error});
    }
  }
  CHECK(resolve({{"auth", "", 1}}, Identities::of({{"ip", "1.1.1.1"}})).error().message ==
        "acl[0]: scheme \"auth\" needs an authenticated connection");
  CHECK(resolve(Acl(acl_entries_max + 1, {"world", "anyone", 1}), anonymous).error().code ==
        ErrorCode::too_large);
  CHECK(resolve(wire::open_acl(), anonymous)->is_open());
}

TEST_CASE("which permissions an ACL grants to which identities") {
  struct Row {
    const char* list;
    Acl acl;
    const char* anonymous;  // the first letters of the permissions that are granted
    const char* alice;
    const char* bob;
  };
  for (const Row& row : {
           Row{"open", wire::open_acl(), "rwcda", "rwcda", "rwcda"},
           Row{"world may read", {{"world", "anyone", 1}}, "r", "r", "r"},
           Row{"a user", {{"digest", "alice:hash", 31}}, "", "rwcda", ""},
           Row{"a user with another password", {{"digest", "alice:other", 31}}, "", "", ""},
           Row{"a user and the world",
               {{"digest", "bob:hash", 16}, {"world", "anyone", 1}},
               "r",
               "r",
               "ra"},
           Row{"a network", {{"ip", "10.1.2.2/31", 2}}, "", "w", ""},
           Row{"a larger network", {{"ip", "10.1.0.0/16", 6}}, "", "wc", "wc"},
           Row{"every IPv4 address", {{"ip", "0.0.0.0/0", 1}}, "", "r", "r"},
           Row{"an address of the other family", {{"ip", "::/0", 1}}, "", "", ""},
           Row{"one address", {{"ip", "10.1.2.4", 8}}, "", "", "d"},
           Row{"no permission", {{"world", "anyone", 0}}, "", "", ""},
       }) {
    CAPTURE(row.list);
    const SharedAcl acl(row.acl);
    const auto may = [&](const Identities& who) {
      std::string letters;
      for (const auto& [perm, name] :
           {std::pair(Perm::read, 'r'), std::pair(Perm::write, 'w'), std::pair(Perm::create, 'c'),
            std::pair(Perm::remove, 'd'), std::pair(Perm::admin, 'a')}) {
        if (allows(acl, who, perm)) letters += name;
      }
      return letters;
    };
    CHECK(may(anonymous) == row.anonymous);
    CHECK(may(alice) == row.alice);
    CHECK(may(bob) == row.bob);
    CHECK(may(super) == "rwcda");
  }
}

TEST_CASE("networks contain their addresses, IPv4 and IPv6") {
  struct Row {
    const char* network;
    const char* address;
    bool contains;
  };
  for (const Row& row :
       {Row{"10.0.0.0/8", "10.255.0.1", true}, Row{"10.0.0.0/8", "11.0.0.0", false},
        Row{"10.0.0.1", "10.0.0.1", true}, Row{"10.0.0.1", "10.0.0.2", false},
        Row{"10.0.0.1", "::ffff:10.0.0.1", true}, Row{"::1", "::1", true},
        Row{"2001:db8::/32", "2001:db8:1::2", true}, Row{"2001:db8::/32", "2001:db9::2", false},
        Row{"10.0.0.0/8", "::1", false}, Row{"10.0.0.0/8", "unknown", false}}) {
    CAPTURE(row.network);
    CAPTURE(row.address);
    CHECK(Network::of(row.network)->contains(row.address) == row.contains);
  }
  for (const char* text :
       {"", "/8", "10.0.0.0/", "10.0.0.0/x", "10.0.0.0/8x", "::/129", "10", "a"}) {
    CAPTURE(text);
    CHECK_FALSE(Network::of(text));
  }
}

// From ZooKeeper's documentation of superDigest.
TEST_CASE("a digest is what ZooKeeper's DigestAuthenticationProvider makes") {
  CHECK(digest_of("super:super123") == "super:UdxDQl4f9v5oITwcAsO9bmWgHSI=");
  CHECK(digest_of("user:a:b").starts_with("user:"));
  CHECK(is_digest_id(digest_of("user:a:b")));
}

TEST_CASE("authenticate adds identities, and refuses unknown schemes and large credentials") {
  const std::string super_digest = digest_of("super:secret");
  const auto by_address = Identities::of({{"ip", "10.0.0.1"}});
  const auto authenticate_as = [&](const char* scheme, std::string token) {
    return authenticate({scheme, std::move(token)}, by_address, super_digest);
  };
  CHECK(authenticate_as("digest", "me:pw")->list() ==
        std::vector<Identity>{{"ip", "10.0.0.1"}, {"digest", digest_of("me:pw")}});
  CHECK_FALSE(authenticate_as("digest", "super:wrong")->is_super());
  CHECK(authenticate_as("digest", "super:secret")->is_super());
  CHECK_FALSE(authenticate({"digest", "super:secret"}, by_address, "")->is_super());
  CHECK(*authenticate_as("ip", "anything") == by_address);
  for (const char* scheme : {"world", "super", "auth", "x509", "sasl", ""}) {
    CAPTURE(scheme);
    CHECK(authenticate_as(scheme, "me").error().code == ErrorCode::auth_failed);
  }
  CHECK(authenticate_as("digest", std::string(identity_bytes_max + 1, 'x')).error().code ==
        ErrorCode::too_large);

  Identities many = by_address;
  wire::Result<Identities> more = many;
  for (int i = 0; more && i < 1000; ++i) {
    more = authenticate({"digest", std::to_string(i) + ":"}, many, "");
    if (more) many = *more;
  }
  CHECK(more.error().code == ErrorCode::too_large);
  CHECK(many.list().size() == identities_max);
  CHECK(*authenticate({"digest", "0:"}, many, "") == many);

  CHECK(whoami(*authenticate_as("digest", "me:pw")).identities ==
        std::vector<Identity>{{"world", "anyone"}, {"ip", "10.0.0.1"}, {"digest", "me"}});
}

TEST_CASE("an ACL table stores equal lists once, and erases unused lists") {
  AclTable table;
  const SharedAcl first = table.intern(SharedAcl({{"digest", "a:b", 1}}));
  CHECK(table.intern(SharedAcl({{"digest", "a:b", 1}})) == first);
  CHECK(&table.intern(SharedAcl({{"digest", "a:b", 1}})).list() == &first.list());
  CHECK(table.size() == 1);
  CHECK(table.intern(SharedAcl()).is_open());
  for (int i = 0; i < 10'000; ++i) {
    static_cast<void>(table.intern(SharedAcl({{"digest", std::to_string(i) + ":b", 1}})));
  }
  CHECK(table.size() < 70);
  CHECK(&table.intern(SharedAcl({{"digest", "a:b", 1}})).list() == &first.list());
}

}  // namespace
}  // namespace znode
