#pragma once

#include "client-lib/client.h"

namespace shell {

// Sends a request, and waits for its reply. An interrupt ends the wait: then the error is
// `cancelled`. A write that was sent is finished in the background.
[[nodiscard]] zabkeeper::AnyReply ask_until_interrupted(const zabkeeper::Calls& calls,
                                                        wire::Request request);

}  // namespace shell
