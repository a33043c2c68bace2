#pragma once

#include <tuple>

#include "session/commands.h"
#include "znode/archive.h"
#include "znode/request_fields.h"

// What commands and transactions have in common, as bytes.
namespace znode::archive {

template <>
inline constexpr auto fields<session::Owner> = std::tuple(&session::Owner::server,
                                                          &session::Owner::connection);

}  // namespace znode::archive
