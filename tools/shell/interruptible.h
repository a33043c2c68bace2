#pragma once

#include "client-lib/client.h"

namespace shell {

// As `ask`, but an interrupt ends it: then the error is `cancelled`. A write that was sent is
// finished in the background.
[[nodiscard]] zabkeeper::AnyReply ask_until_interrupted(const zabkeeper::Calls& calls,
                                                        wire::Request request);

}  // namespace shell
