#pragma once

#include <string>

#include "server/admin/options.h"
#include "server/budgets/ledger.h"
#include "server/checkpoints/checkpointer.h"
#include "server/clients/listener_options.h"
#include "server/config/config.h"
#include "server/peers/links.h"
#include "server/pipeline/options.h"
#include "server/replication/options.h"
#include "server/startup/data_options.h"
#include "server/startup/memory_limit.h"
#include "zab/ensemble.h"
#include "zab/state.h"

// The configuration of a server, as the small structs of the rooms that use it.
namespace server {

// `program`: the name of this one, for the files that it writes. `key`: random, of the tables of
// the state that is read. `memory_limit` in bytes.
[[nodiscard]] DataOptions data_options(const Config& config, std::string program,
                                       const znode::HashKey& key, std::uint64_t memory_limit);
[[nodiscard]] Checkpointer::Rules checkpointer_rules(const Config& config, std::string program);
// An error if the budgets of clients that `maxDataBytes` needs do not fit into the memory.
[[nodiscard]] wire::Result<void> check_memory(const Config& config, const MemoryLimit& memory);
[[nodiscard]] BudgetTable budgets_of(const Config& config, std::uint64_t memory_limit);
[[nodiscard]] PipelineOptions pipeline_options(const Config& config, const znode::HashKey& key,
                                               std::uint64_t memory_limit);
// Also asks the operating system for the name of this machine, which the gate admits. `open_files`
// is how many this process may open.
[[nodiscard]] ListenerOptions listener_options(const Config& config, const Ledger& ledger,
                                               std::uint64_t open_files);
// The ids of all servers of the ensemble, this one included.
[[nodiscard]] std::vector<std::uint32_t> server_ids(const Config& config);
// `program` is the name and version that other servers are told.
// `instance`: of this process, see Greeting::instance.
[[nodiscard]] Links::Options links_options(const Config& config, std::string program,
                                           std::uint64_t instance, std::uint64_t memory_limit);
[[nodiscard]] ReplicationOptions replication_options(const Config& config);
[[nodiscard]] AdminOptions admin_options(const Config& config);

// For the protocol. A standalone server is an ensemble of one.
[[nodiscard]] zab::Ensemble ensemble(const Config& config);
[[nodiscard]] zab::PeerLimits peer_limits(const Config& config);

}  // namespace server
