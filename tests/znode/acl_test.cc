#include "znode/acl.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tests/znode/identities.h"
#include "tests/znode/world.h"

namespace znode {
namespace {

using wire::Acl;
using wire::ErrorCode;
using wire::Identity;
using wire::Perm;

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

TEST_CASE("an ACL grants permissions to matching identities") {
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
