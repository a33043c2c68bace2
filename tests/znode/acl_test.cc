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
  CHECK(resolve(wire::open_acl(), anonymous)->is_open());
}

// Networks, each another one.
Acl of_networks(std::size_t count) {
  Acl acl;
  for (std::size_t i = 0; i < count; ++i) acl.push_back({"ip", "10.0.0." + std::to_string(i), 1});
  return acl;
}

TEST_CASE("resolve refuses large ACLs with the limit, also if auth makes them large") {
  struct Row {
    const char* what;
    Acl acl;
    const char* error;  // null: it is valid
  };
  std::vector<Identity> list;
  for (int i = 0; i < 16; ++i) list.push_back({"digest", std::to_string(i) + ":x"});
  const Identities sixteen = Identities::of(list);
  Acl four_times = {{"auth", "", 1}, {"auth", "", 2}, {"auth", "", 4}, {"auth", "", 8}};
  Acl five_times = four_times;
  five_times.push_back({"auth", "", 16});
  Acl long_ids;
  for (int i = 0; i < 33; ++i) {
    long_ids.push_back({"x509", "CN=" + std::to_string(i) + std::string(245, 'x'), 1});
  }
  const std::string longest = "CN=" + std::string(identity_bytes_max - 3, 'x');
  for (const Row& row : {
           Row{"64 entries", of_networks(64), nullptr},
           Row{"65 entries", of_networks(65), "acl: 65 entries, more than 64"},
           Row{"the same entry 65 times", Acl(65, {"world", "anyone", 1}),
               "acl: 65 entries, more than 64"},
           Row{"64 entries by auth", four_times, nullptr},
           Row{"more entries by auth", five_times, "acl: 80 entries, more than 64"},
           Row{"more than 8 KiB", long_ids, "acl: 8372 bytes, more than 8192"},
           Row{"an id of 256 bytes", {{"x509", longest, 1}}, nullptr},
           Row{"an id of 257 bytes",
               {{"x509", longest + "x", 1}},
               "acl[0]: id of 257 bytes, more than 256"},
       }) {
    CAPTURE(std::string(row.what));
    const auto resolved = resolve(row.acl, sixteen);
    CHECK(resolved.has_value() == (row.error == nullptr));
    if (!resolved) CHECK(resolved.error() == wire::Error{ErrorCode::too_large, row.error});
  }
}

// Limits are judged when an ACL is set. An earlier program allowed more.
TEST_CASE("an ACL of 256 entries of 1 KiB that is stored is enforced") {
  const std::string padding(1000, 'x');
  Acl list;
  for (int i = 0; i < 128; ++i) {
    list.push_back({"digest", "user" + std::to_string(i) + padding + ":hash", 1});
    list.push_back({"ip", "10.0." + std::to_string(i) + ".0/24", 2});
  }
  const SharedAcl acl(list);
  CHECK(acl.list() == list);
  const auto user = Identities::of({{"digest", "user127" + padding + ":hash"}});
  const auto stranger = Identities::of({{"digest", "user128" + padding + ":hash"}});
  const auto machine = Identities::of({{"ip", "10.0.127.9"}});
  CHECK(allows(acl, user, Perm::read));
  CHECK_FALSE(allows(acl, user, Perm::write));
  CHECK_FALSE(allows(acl, stranger, Perm::read));
  CHECK(allows(acl, machine, Perm::write));
  CHECK_FALSE(allows(acl, machine, Perm::read));
  CHECK_FALSE(allows(acl, Identities::of({{"ip", "10.0.128.9"}}), Perm::write));
  // The same user with other permissions in another entry.
  list.push_back({"digest", "user127" + padding + ":hash", 16});
  CHECK(allows(SharedAcl(list), user, Perm::admin));
}

TEST_CASE("remembered verdicts are separate for each ACL") {
  const SharedAcl of_alice({{"digest", "alice:hash", 1}});
  const SharedAcl of_bob({{"digest", "bob:hash", 1}});
  RememberedVerdicts may_read(alice, Perm::read);
  RememberedVerdicts may_write(alice, Perm::write);
  for (int i = 0; i < 3; ++i) {
    CHECK(may_read.allows(of_alice));
    CHECK_FALSE(may_read.allows(of_bob));
    CHECK_FALSE(may_write.allows(of_alice));
    CHECK(may_write.allows(SharedAcl()));
  }
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
  const HashKey key;
  const SharedAcl first = table.intern(SharedAcl({{"digest", "a:b", 1}}), key);
  CHECK(table.intern(SharedAcl({{"digest", "a:b", 1}}), key) == first);
  CHECK(&table.intern(SharedAcl({{"digest", "a:b", 1}}), key).list() == &first.list());
  CHECK(table.size() == 1);
  CHECK(table.intern(SharedAcl(), key).is_open());
  for (int i = 0; i < 10'000; ++i) {
    static_cast<void>(table.intern(SharedAcl({{"digest", std::to_string(i) + ":b", 1}}), key));
  }
  CHECK(table.size() < 70);
  CHECK(&table.intern(SharedAcl({{"digest", "a:b", 1}}), key).list() == &first.list());
}

}  // namespace
}  // namespace znode
