#pragma once

#include <string>

#include "server/admin/commands.h"
#include "server/admin/options.h"
#include "server/budgets/ledger.h"
#include "server/checkpoints/checkpointer.h"
#include "server/clients/http_handlers.h"
#include "server/clients/listener.h"
#include "server/metrics/disk.h"
#include "server/metrics/readings.h"
#include "server/metrics/status.h"
#include "server/peers/links.h"
#include "server/pipeline/pipeline.h"
#include "server/replication/driver.h"
#include "server/replication/log_writer.h"

namespace server {

// The options, and the parts of a server that its status and its metrics are read from.
struct StatusParts {
  AdminOptions options;
  const Pipeline& pipeline;
  const Driver& driver;
  const Links& links;
  const LogWriter& log;
  const Checkpointer& checkpointer;
  const Listener& listener;
  const Ledger& ledger;
  DiskReader& disk;
  const char* version;
};

// The values of GET /status. Call it on the event loop's thread.
[[nodiscard]] Status read_status(const StatusParts& parts);

// The answer to GET /status, in JSON, without the newline at its end.
[[nodiscard]] std::string status_text(const StatusParts& parts);

// The values of GET /metrics: the status and everything else that is counted. Call it on the event
// loop's thread.
[[nodiscard]] Readings read_metrics(const StatusParts& parts, const AdminCommands& commands);

// The web port's answers. The parts outlive them, and may be constructed later.
[[nodiscard]] HttpHandlers http_handlers(const StatusParts& parts, AdminCommands commands);

}  // namespace server
