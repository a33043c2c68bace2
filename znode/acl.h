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

// An ACL as nodes hold it: an immutable list that many share. Of one thread. The default is the
// open ACL, which costs nothing.
class SharedAcl {
 public:
  SharedAcl() = default;
  explicit SharedAcl(wire::Acl list);

  [[nodiscard]] bool is_open() const { return !shared_; }
  [[nodiscard]] const wire::Acl& list() const { return shared_ ? shared_->list : wire::open_acl(); }
  // Equal for equal lists, on every server.
  [[nodiscard]] std::uint64_t hash() const { return shared_ ? shared_->hash : 0; }
  // Whether anybody else holds this one.
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

// The lists that the nodes of one tree hold, so that equal ones are one.
class AclTable {
 public:
  [[nodiscard]] SharedAcl intern(const SharedAcl& acl);
  // Lists other than the open one, with some that nobody holds any more: never more of these than
  // of the others.
  [[nodiscard]] std::size_t size() const { return lists_.size(); }

 private:
  struct Hash {
    std::size_t operator()(const SharedAcl& acl) const { return acl.hash(); }
  };

  boost::unordered_flat_set<SharedAcl, Hash> lists_;
  std::size_t sweep_at_ = 64;
};

// Whether `who` may do one of `perms`, a sum of wire::Perm.
[[nodiscard]] bool allows(const SharedAcl& acl, const Identities& who, unsigned perms);
[[nodiscard]] bool allows(const SharedAcl& acl, const Identities& who, wire::Perm perm);

// The ACL that a request means when `who` asks: `auth` becomes who that is, nothing is said twice.
// InvalidAcl where it is none, naming the entry.
[[nodiscard]] wire::Result<SharedAcl> resolve(const wire::Acl& acl, const Identities& who);

// The list without what could be used to guess passwords: "digest:user:x".
[[nodiscard]] wire::Acl redacted(const wire::Acl& acl);

}  // namespace znode
