#pragma once

#include <string>

#include "zab/effects.h"
#include "zab/events.h"

// Messages and effects as text, for transcripts and for debug logs.
namespace zab {

[[nodiscard]] std::string to_string(const Message& message);  // "COMMIT 1:3"
[[nodiscard]] std::string to_string(const Persist& persist);  // "append 1:3"
[[nodiscard]] std::string to_string(Role role);               // "leading"
[[nodiscard]] std::string to_string(const RoleStatus& role_status);

}  // namespace zab
