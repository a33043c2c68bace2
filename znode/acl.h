#pragma once

#include <cstddef>
#include <cstdint>

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>
#include <boost/unordered/unordered_flat_set.hpp>

#include "wire/records.h"
#include "wire/result.h"
#include "znode/identity.h"

namespace znode {

inline constexpr std::size_t acl_entries_max = 256;

// An ACL as nodes hold it: an immutable list that nodes share. Not thread-safe: the reference
// counts are not atomic. The default is the open ACL, which needs no memory.
class SharedAcl {
 public:
  SharedAcl() = default;
  explicit SharedAcl(wire::Acl list);

  [[nodiscard]] bool is_open() const { return !shared_; }
  [[nodiscard]] const wire::Acl& list() const { return shared_ ? shared_->list : wire::open_acl(); }
  // Equal for equal lists, on all servers.
  [[nodiscard]] std::uint64_t hash() const { return shared_ ? shared_->hash : 0; }
  // Whether there are other references to this list.
  [[nodiscard]] bool is_shared() const { return shared_ && shared_->use_count() > 1; }

  bool operator==(const SharedAcl& other) const {
    return shared_ == other.shared_ || (hash() == other.hash() && list() == other.list());
  }

 private:
  struct List : boost::intrusive_ref_counter<List, boost::thread_unsafe_counter> {
    wire::Acl list;
    std::uint64_t hash = 0;
  };

  boost::intrusive_ptr<const List> shared_;  // null: open
};

// The ACLs of one tree: each different list is stored once.
class AclTable {
 public:
  // The stored list that equals `acl`; stores `acl` if there is none.
  [[nodiscard]] SharedAcl intern(const SharedAcl& acl);
  // The number of lists besides the open one. It includes unused lists, but not more unused than
  // used ones (beyond a constant).
  [[nodiscard]] std::size_t size() const { return lists_.size(); }

 private:
  struct Hash {
    std::size_t operator()(const SharedAcl& acl) const { return acl.hash(); }
  };

  boost::unordered_flat_set<SharedAcl, Hash> lists_;
  std::size_t sweep_at_ = 64;
};

// Whether `acl` grants `who` at least one of `perms`, a bit set of wire::Perm.
[[nodiscard]] bool allows(const SharedAcl& acl, const Identities& who, unsigned perms);
[[nodiscard]] bool allows(const SharedAcl& acl, const Identities& who, wire::Perm perm);

// Resolves the ACL of a request by `who`: replaces scheme `auth` by the identities of `who`, and
// drops duplicates. Returns InvalidAcl, with the entry and the reason, for an invalid list, and
// TooLarge for more than acl_entries_max entries.
[[nodiscard]] wire::Result<SharedAcl> resolve(const wire::Acl& acl, const Identities& who);

// The list without its password hashes, which would help to guess passwords: "digest:user:x".
[[nodiscard]] wire::Acl redacted(const wire::Acl& acl);

}  // namespace znode
