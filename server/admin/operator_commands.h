#pragma once

#include "server/admin/commands.h"
#include "server/admin/options.h"
#include "server/checkpoints/checkpointer.h"
#include "server/pipeline/pipeline.h"
#include "server/replication/driver.h"
#include "server/replication/handover.h"

namespace server {

// The parts of a server that operators' commands act on. All references outlive the commands.
struct OperatorParts {
  const Driver& driver;
  Pipeline& pipeline;
  Handover& handover;
  Checkpointer& checkpointer;
  AdminOptions options;
};

// The commands of docs/operations.md: `handover` (to a server, or to any), `level` (of the
// ensemble), `checkpoint`, `sessions`, `sessions/kill`, `watches` and `configuration`.
[[nodiscard]] AdminCommands operator_commands(const OperatorParts& parts);

}  // namespace server
