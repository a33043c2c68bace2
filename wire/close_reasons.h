#pragma once

#include <string_view>

// Reasons of a server's close frames. A C++ client tells closes of one status apart by them
// (client-lib/blame.cc). After a failed `auth` the reason is the name of the error. Servers and
// clients of other versions have these texts: to change one, let the client know both.
namespace wire::close_reason {

// Status 1008: the client does not receive what waits for it. No request is the cause.
inline constexpr std::string_view too_slow = "too slow: take what the server sends sooner";
// Status 1008, after the reply BadArguments to the request.
inline constexpr std::string_view too_deep = "nested too deeply";
// Status 1009, after the reply TooLarge to the request.
inline constexpr std::string_view too_large = "the frame is too large";

}  // namespace wire::close_reason
