#include "znode/acl.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "wire/bytes.h"
#include "znode/hash.h"

namespace znode {
namespace {

using wire::Error;
using wire::ErrorCode;

bool is_everybody(const wire::AclEntry& entry) {
  return entry.scheme == "world" && entry.id == "anyone";
}

// Whether `id` is an X.500 distinguished name: CN=me,O=us. Commas may be escaped.
bool is_distinguished_name(std::string_view id) {
  bool has_type = false;
  bool in_type = true;
  std::size_t type_size = 0;
  for (std::size_t i = 0; i < id.size(); ++i) {
    if (id[i] == '\\') {
      i += 1;
      if (i == id.size()) return false;
    } else if (in_type && id[i] == '=') {
      if (type_size == 0) return false;
      in_type = false;
      has_type = true;
    } else if (!in_type && (id[i] == ',' || id[i] == '+')) {
      in_type = true;
      type_size = 0;
    } else if (in_type && id[i] != ' ') {
      type_size += 1;
    }
  }
  return has_type && !in_type;
}

// Why the entry is invalid; null if it is valid.
const char* invalid_reason(const wire::AclEntry& entry) {
  if (entry.scheme == "world") return entry.id == "anyone" ? nullptr : "is not anyone";
  if (entry.scheme == "digest") return is_digest_id(entry.id) ? nullptr : "is not user:hash";
  if (entry.scheme == "ip") return Network::of(entry.id) ? nullptr : "is not address[/bits]";
  return is_distinguished_name(entry.id) ? nullptr : "is not a distinguished name";
}

bool is_known(std::string_view scheme) {
  return scheme == "world" || scheme == "digest" || scheme == "ip" || scheme == "x509";
}

Error invalid(std::size_t entry, const std::string& what) {
  return {ErrorCode::invalid_acl, "acl[" + std::to_string(entry) + "]: " + what};
}

void add_once(wire::AclEntry entry, wire::Acl& acl) {
  if (std::ranges::find(acl, entry) == acl.end()) acl.push_back(std::move(entry));
}

Error too_large(std::size_t actual, const char* what, std::size_t max) {
  return {ErrorCode::too_large,
          "acl: " + std::to_string(actual) + ' ' + what + ", more than " + std::to_string(max)};
}

// Checks the part of the ACL that is resolved, so that no large list is built.
wire::Result<void> check_size(const wire::Acl& acl) {
  if (acl.size() > acl_entries_max) return too_large(acl.size(), "entries", acl_entries_max);
  std::size_t bytes = 0;
  for (const wire::AclEntry& entry : acl) bytes += entry.scheme.size() + entry.id.size();
  if (bytes > acl_bytes_max) return too_large(bytes, "bytes", acl_bytes_max);
  return {};
}

wire::Bytes bytes_of(const wire::Acl& list) {
  wire::Bytes bytes;
  wire::ByteWriter writer(bytes);
  for (const wire::AclEntry& entry : list) {
    writer.string(entry.scheme);
    writer.string(entry.id);
    writer.integer(entry.perms);
  }
  return bytes;
}

// The memory of a list: two allocations, their entries, and the entry of an AclTable.
std::size_t memory_of(const wire::Acl& list) {
  constexpr std::size_t fixed = 192;
  constexpr std::size_t of_entry = sizeof(wire::AclEntry) + 48;
  std::size_t bytes = fixed;
  for (const wire::AclEntry& entry : list) bytes += of_entry + entry.id.size();
  return bytes;
}

std::uint64_t name_hash(std::string_view scheme, std::string_view id) {
  return hash_of(id, hash_of(scheme));
}

}  // namespace

SharedAcl::SharedAcl(wire::Acl list) {
  if (list == wire::open_acl()) return;
  auto made = std::make_unique<List>();
  made->hash = hash_of(bytes_of(list));
  made->memory = memory_of(list);
  for (std::uint32_t i = 0; i < list.size(); ++i) {
    const wire::AclEntry& entry = list[i];
    if (is_everybody(entry)) {
      made->of_everybody |= entry.perms;
    } else if (entry.scheme != "ip") {
      made->names.push_back({name_hash(entry.scheme, entry.id), i});
    } else if (auto network = Network::of(entry.id)) {
      made->networks.push_back({*std::move(network), entry.perms});
    }
  }
  std::ranges::sort(made->names, {}, &NameEntry::hash);
  made->list = std::move(list);
  shared_.reset(made.release());
}

bool SharedAcl::grants(const Identities& who, unsigned perms) const {
  if (is_open()) return true;
  const List& acl = *shared_;
  if ((acl.of_everybody & perms) != 0) return true;
  return std::ranges::any_of(who.list(), [&](const wire::Identity& identity) {
    if (identity.scheme == "ip") {
      if (acl.networks.empty()) return false;
      const std::string address = address_bytes(identity.id);
      return std::ranges::any_of(acl.networks, [&](const NetworkEntry& entry) {
        return (entry.perms & perms) != 0 && entry.network.contains_bytes(address);
      });
    }
    if (acl.names.empty()) return false;
    const std::uint64_t hash = name_hash(identity.scheme, identity.id);
    const auto same = std::ranges::equal_range(acl.names, hash, {}, &NameEntry::hash);
    return std::ranges::any_of(same, [&](const NameEntry& name) {
      const wire::AclEntry& entry = acl.list[name.index];
      return (entry.perms & perms) != 0 && entry.scheme == identity.scheme &&
             entry.id == identity.id;
    });
  });
}

TableHash SharedAcl::table_hash(const HashKey& key) const { return key(bytes_of(list())); }

SharedAcl AclTable::intern(const SharedAcl& acl, const HashKey& key) {
  if (acl.is_open()) return acl;
  const auto [known, is_new] = lists_.insert({acl, acl.table_hash(key)});
  SharedAcl interned = known->acl;
  if (is_new) memory_ += acl.memory();
  if (is_new && lists_.size() >= sweep_at_) sweep();
  return interned;
}

void AclTable::sweep() {
  boost::unordered::erase_if(lists_, [this](const Stored& each) {
    if (each.acl.is_shared()) return false;
    memory_ -= each.acl.memory();
    return true;
  });
  sweep_at_ = std::max<std::size_t>(64, 2 * lists_.size());
  sweep_after_ = std::max<std::size_t>(64, lists_.size() / 4);
  released_ = 0;
}

bool allows(const SharedAcl& acl, const Identities& who, unsigned perms) {
  return acl.is_open() || who.is_super() || acl.grants(who, perms);
}

bool allows(const SharedAcl& acl, const Identities& who, wire::Perm perm) {
  return allows(acl, who, static_cast<unsigned>(perm));
}

bool RememberedVerdicts::allows(const SharedAcl& acl) {
  if (acl.is_open()) return true;
  const auto [known, is_new] = known_.try_emplace(acl.address(), false);
  if (is_new) known->second = znode::allows(acl, who_, perm_);
  return known->second;
}

wire::Result<SharedAcl> resolve(const wire::Acl& acl, const Identities& who) {
  if (acl.empty()) return Error{ErrorCode::invalid_acl, "acl: the list is empty"};
  if (auto size = check_size(acl); !size) return size.error();
  wire::Acl resolved;
  for (std::size_t i = 0; i < acl.size(); ++i) {
    const wire::AclEntry& entry = acl[i];
    if (entry.id.size() > identity_bytes_max) {
      return Error{ErrorCode::too_large,
                   "acl[" + std::to_string(i) + "]: id of " + std::to_string(entry.id.size()) +
                       " bytes, more than " + std::to_string(identity_bytes_max)};
    }
    if (entry.scheme == "auth") {
      bool has_identity = false;
      for (const wire::Identity& identity : who.list()) {
        // An address does not prove an identity, and super needs no entry.
        if (identity.scheme == "ip" || identity.scheme == "super") continue;
        has_identity = true;
        add_once({identity.scheme, identity.id, entry.perms}, resolved);
      }
      if (!has_identity) return invalid(i, "scheme \"auth\" needs an authenticated connection");
    } else if (!is_known(entry.scheme)) {
      return invalid(i, "scheme \"" + entry.scheme.substr(0, 64) + "\" is unknown");
    } else if (const char* reason = invalid_reason(entry)) {
      return invalid(
          i, "id \"" + entry.id.substr(0, 64) + "\" of scheme " + entry.scheme + ' ' + reason);
    } else {
      add_once(entry, resolved);
    }
    if (auto size = check_size(resolved); !size) return size.error();
  }
  return SharedAcl(std::move(resolved));
}

wire::Acl redacted(const wire::Acl& acl) {
  wire::Acl shown = acl;
  for (wire::AclEntry& entry : shown) {
    if (entry.scheme == "digest") entry.id = entry.id.substr(0, entry.id.find(':')) + ":x";
  }
  return shown;
}

}  // namespace znode
