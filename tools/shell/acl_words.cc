#include "tools/shell/acl_words.h"

#include <optional>
#include <string_view>

namespace shell {
namespace {

constexpr std::uint8_t all_perms = 31;

std::optional<wire::AclEntry> entry_named(std::string_view name) {
  if (name == "open") return wire::AclEntry{"world", "anyone", all_perms};
  if (name == "read-only") {
    return wire::AclEntry{"world", "anyone", static_cast<std::uint8_t>(wire::Perm::read)};
  }
  if (name == "creator") return wire::AclEntry{"auth", "", all_perms};
  return std::nullopt;
}

// An id may have colons too, for example an IPv6 address or a digest.
std::optional<wire::AclEntry> entry_of(std::string_view word) {
  const std::size_t first = word.find(':');
  const std::size_t last = word.rfind(':');
  if (first == std::string_view::npos || first == last || first == 0) return std::nullopt;
  const auto perms = wire::perms_of(word.substr(last + 1));
  if (!perms || *perms == 0) return std::nullopt;
  return wire::AclEntry{std::string(word.substr(0, first)),
                        std::string(word.substr(first + 1, last - first - 1)), *perms};
}

}  // namespace

wire::Result<wire::Acl> acl_of_words(const std::vector<std::string>& words) {
  wire::Acl acl;
  for (const std::string& word : words) {
    auto entry = entry_named(word);
    if (!entry) entry = entry_of(word);
    if (!entry) {
      return wire::Error{wire::ErrorCode::bad_arguments,
                         "an ACL is open, read-only, creator, or SCHEME:ID:PERMS with letters of "
                         "cdrwa, not \"" +
                             word + '"'};
    }
    acl.push_back(std::move(*entry));
  }
  return acl;
}

std::string word_of(const wire::AclEntry& entry) {
  return entry.scheme + ':' + entry.id + ':' + wire::perm_letters(entry.perms);
}

}  // namespace shell
