#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>
#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>

#include "wire/records.h"
#include "wire/result.h"
#include "znode/hash_key.h"
#include "znode/identity.h"
#include "znode/network.h"

namespace znode {

// Limits of an ACL in a request, with the identities that scheme `auth` stands for. Its bytes are
// those of its schemes and ids. A stored ACL may exceed them.
inline constexpr std::size_t acl_entries_max = 64;
inline constexpr std::size_t acl_bytes_max = 8 * 1024;

// An ACL as nodes hold it: an immutable list that nodes share, prepared for checks. Not
// thread-safe: the reference counts are not atomic. The default is the open ACL, which needs no
// memory.
class SharedAcl {
 public:
  SharedAcl() = default;
  explicit SharedAcl(wire::Acl list);

  [[nodiscard]] bool is_open() const { return !shared_; }
  [[nodiscard]] const wire::Acl& list() const { return shared_ ? shared_->list : wire::open_acl(); }
  // A hash of the list. Equal lists have equal hashes on all servers.
  [[nodiscard]] std::uint64_t hash() const { return shared_ ? shared_->hash : 0; }
  [[nodiscard]] TableHash table_hash(const HashKey& key) const;
  // Whether there are other references to this list.
  [[nodiscard]] bool is_shared() const { return shared_ && shared_->use_count() > 1; }

  // Whether the ACL grants `who` at least one of `perms`. See `allows`.
  [[nodiscard]] bool grants(const Identities& who, unsigned perms) const;
  // The memory of the list, about; nodes share it. 0 for the open ACL.
  [[nodiscard]] std::size_t memory() const { return shared_ ? shared_->memory : 0; }
  // Identifies the list in memory. It is the same for copies, and for all nodes of a tree with the
  // same ACL.
  [[nodiscard]] const void* address() const { return shared_.get(); }

  bool operator==(const SharedAcl& other) const {
    return shared_ == other.shared_ || (hash() == other.hash() && list() == other.list());
  }

 private:
  // An entry of a network.
  struct NetworkEntry {
    Network network;
    unsigned perms = 0;
  };
  // An entry of one identity, found by a hash of its scheme and id.
  struct NameEntry {
    std::uint64_t hash = 0;
    std::uint32_t index = 0;  // in `list`
  };
  struct List : boost::intrusive_ref_counter<List, boost::thread_unsafe_counter> {
    wire::Acl list;
    std::uint64_t hash = 0;
    std::size_t memory = 0;
    unsigned of_everybody = 0;  // permissions
    std::vector<NetworkEntry> networks;
    std::vector<NameEntry> names;  // sorted by hash
  };

  boost::intrusive_ptr<const List> shared_;  // null: open
};

// The ACLs of one tree: each different list is stored once.
class AclTable {
 public:
  // The stored list that equals `acl`; stores `acl` if there is none. All calls must pass the same
  // `key`.
  [[nodiscard]] SharedAcl intern(const SharedAcl& acl, const HashKey& key);
  // The number of lists besides the open one. It includes unused lists, but not more unused than
  // used ones (beyond a constant).
  [[nodiscard]] std::size_t size() const { return lists_.size(); }
  // To be called before a node gives up its ACL.
  void released(const SharedAcl& acl) {
    if (!acl.is_open() && ++released_ >= sweep_after_) sweep();
  }
  // The memory of all lists, about.
  [[nodiscard]] std::size_t memory() const { return memory_; }

 private:
  struct Stored {
    SharedAcl acl;
    TableHash hash;

    bool operator==(const Stored& other) const { return hash == other.hash && acl == other.acl; }
  };
  struct Hash {
    std::size_t operator()(const Stored& stored) const {
      return static_cast<std::size_t>(stored.hash);
    }
  };

  // Erases the unused lists.
  void sweep();

  boost::unordered_flat_set<Stored, Hash> lists_;
  std::size_t memory_ = 0;
  // A sweep is due when so many lists are stored, or after so many were released. So its cost is
  // constant for each list, on average.
  std::size_t sweep_at_ = 64;
  std::size_t sweep_after_ = 64;
  std::size_t released_ = 0;
};

// Whether `acl` grants `who` at least one of `perms`, a bit set of wire::Perm.
[[nodiscard]] bool allows(const SharedAcl& acl, const Identities& who, unsigned perms);
[[nodiscard]] bool allows(const SharedAcl& acl, const Identities& who, wire::Perm perm);

// Answers `allows` for one caller and one permission, and remembers the answer for each ACL,
// because many nodes share few ACLs. Use it for only one operation: the ACLs must stay in use.
class RememberedVerdicts {
 public:
  RememberedVerdicts(const Identities& who, wire::Perm perm) : who_(who), perm_(perm) {}

  [[nodiscard]] bool allows(const SharedAcl& acl);

 private:
  const Identities& who_;
  wire::Perm perm_;
  boost::unordered_flat_map<const void*, bool> known_;
};

// Resolves the ACL of a request by `who`: replaces scheme `auth` by the identities of `who`, and
// drops duplicates. Returns InvalidAcl, with the entry and the reason, for an invalid list, and
// TooLarge beyond acl_entries_max, acl_bytes_max or identity_bytes_max.
[[nodiscard]] wire::Result<SharedAcl> resolve(const wire::Acl& acl, const Identities& who);

// The list without its password hashes, which would help to guess passwords: "digest:user:x".
[[nodiscard]] wire::Acl redacted(const wire::Acl& acl);

}  // namespace znode
