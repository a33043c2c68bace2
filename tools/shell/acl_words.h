#pragma once

#include <string>
#include <vector>

#include "wire/records.h"
#include "wire/result.h"

// ACLs as words: `scheme:id:perms`, or a name.
namespace shell {

// The ACL that these words make together. Names: `open`, `read-only` (for everybody), `creator`
// (all permissions for the identities of this client). BadArguments says which word is wrong.
[[nodiscard]] wire::Result<wire::Acl> acl_of_words(const std::vector<std::string>& words);

// "digest:ann:hash:cdrwa"
[[nodiscard]] std::string word_of(const wire::AclEntry& entry);

}  // namespace shell
