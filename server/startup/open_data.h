#pragma once

#include "server/startup/recovered_state.h"

namespace server {

// Makes the directories that the options name, locks them, and recovers the state in them. Logs
// what an operator should know about it. An error says what an operator must do.
[[nodiscard]] wire::Result<RecoveredState> open_data(const DataOptions& options);

}  // namespace server
