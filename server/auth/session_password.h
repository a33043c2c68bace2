#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "session/commands.h"

namespace server {

// A new session's password: 128 random bits as 32 hex digits. A client proves with it that the
// session is its own.
[[nodiscard]] std::string new_password();

// SHA-256. Nothing if `password` is not 32 hex digits. A slow hash would add nothing: a password of
// 128 random bits cannot be guessed.
[[nodiscard]] std::optional<session::SecretHash> hash_password(std::string_view password);

// 64 random bits of the operating system.
[[nodiscard]] std::uint64_t random_number();
// A key that nobody else knows.
[[nodiscard]] znode::HashKey new_hash_key();

}  // namespace server
