#pragma once

#include <tuple>

#include "session/commands.h"
#include "wire/archive.h"
#include "znode/archive_fields.h"

// The binary form of the structs that commands, transactions and stored sessions share.

template <>
inline constexpr auto wire::archive::fields<session::Owner> =
    std::tuple(&session::Owner::server, &session::Owner::connection);
