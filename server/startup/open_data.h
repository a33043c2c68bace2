#pragma once

#include "server/config/config.h"
#include "server/startup/recovered_state.h"
#include "zab/peer.h"

namespace server {

// Makes the directories that the configuration names, locks them, and recovers the state in them.
// Logs what an operator should know about it. An error says what an operator is to do.
[[nodiscard]] wire::Result<RecoveredState> open_data(const Config& config);

// The protocol's part of a server, as the log has recovered it. `new_cluster` is the id of the
// cluster that this server founds, if it ever founds one.
[[nodiscard]] zab::Peer make_peer(const Config& config, zab::Durable recovered,
                                  zab::ClusterId new_cluster);

}  // namespace server
