#pragma once

#include "znode/acl.h"
#include "znode/identity.h"

// The users of the tests of ACLs and permissions.
namespace znode {

constexpr unsigned letter(wire::Perm perm) { return static_cast<unsigned>(perm); }

inline const Identities anonymous;
inline const auto alice = Identities::of({{"ip", "10.1.2.3"}, {"digest", "alice:hash"}});
inline const auto bob = Identities::of({{"ip", "10.1.2.4"}, {"digest", "bob:hash"}});
inline const auto super = Identities::of({{"ip", "10.9.9.9"}, {"super", ""}});

}  // namespace znode
