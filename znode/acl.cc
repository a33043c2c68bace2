#include "znode/acl.h"

#include <algorithm>
#include <string>
#include <utility>

#include "wire/bytes.h"
#include "znode/hash.h"
#include "znode/network.h"

namespace znode {
namespace {

using wire::Error;
using wire::ErrorCode;

bool matches(const wire::AclEntry& entry, const wire::Identity& identity) {
  if (entry.scheme != identity.scheme) return false;
  if (entry.scheme != "ip") return entry.id == identity.id;
  const auto network = Network::of(entry.id);
  return network && network->contains(identity.id);
}

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
  if (entry.id.size() > identity_bytes_max) return "is too long";
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

}  // namespace

SharedAcl::SharedAcl(wire::Acl list) {
  if (list == wire::open_acl()) return;
  wire::Bytes bytes;
  wire::ByteWriter writer(bytes);
  for (const wire::AclEntry& entry : list) {
    writer.string(entry.scheme);
    writer.string(entry.id);
    writer.integer(entry.perms);
  }
  List* made = new List;
  made->list = std::move(list);
  made->hash = hash_of(bytes);
  shared_.reset(made);
}

SharedAcl AclTable::intern(const SharedAcl& acl) {
  if (acl.is_open()) return acl;
  const auto [known, is_new] = lists_.insert(acl);
  SharedAcl interned = *known;
  // Unused lists are erased when there may be as many of them as of used ones. So this is rare, and
  // its cost per insertion is constant.
  if (is_new && lists_.size() >= sweep_at_) {
    boost::unordered::erase_if(lists_, [](const SharedAcl& each) { return !each.is_shared(); });
    sweep_at_ = std::max<std::size_t>(64, 2 * lists_.size());
  }
  return interned;
}

bool allows(const SharedAcl& acl, const Identities& who, unsigned perms) {
  if (acl.is_open() || who.is_super()) return true;
  return std::ranges::any_of(acl.list(), [&](const wire::AclEntry& entry) {
    if ((entry.perms & perms) == 0) return false;
    return is_everybody(entry) ||
           std::ranges::any_of(who.list(), [&](const wire::Identity& identity) {
             return matches(entry, identity);
           });
  });
}

bool allows(const SharedAcl& acl, const Identities& who, wire::Perm perm) {
  return allows(acl, who, static_cast<unsigned>(perm));
}

wire::Result<SharedAcl> resolve(const wire::Acl& acl, const Identities& who) {
  if (acl.empty()) return Error{ErrorCode::invalid_acl, "acl: the list is empty"};
  if (acl.size() > acl_entries_max) {
    return Error{ErrorCode::too_large, "acl: " + std::to_string(acl.size()) +
                                           " entries, more than " +
                                           std::to_string(acl_entries_max)};
  }
  wire::Acl resolved;
  for (std::size_t i = 0; i < acl.size(); ++i) {
    const wire::AclEntry& entry = acl[i];
    if (entry.scheme == "auth") {
      bool has_identity = false;
      for (const wire::Identity& identity : who.list()) {
        // An address is no proof of identity, and super needs no entry.
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
