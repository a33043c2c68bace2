#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "session/commands.h"

namespace server {

// 128 random bits as 32 hex digits: what shows a client to be the one that opened a session.
[[nodiscard]] std::string new_password();

// SHA-256. Nothing if `password` is not 32 hex digits. The password has 128 bits of its own, so
// there is nothing that a slow hash would protect.
[[nodiscard]] std::optional<session::SecretHash> hash_password(std::string_view password);

[[nodiscard]] std::uint64_t random_number();

}  // namespace server
