#include "server/startup/open_data.h"

#include <utility>
#include <vector>

#include <spdlog/spdlog.h>

#include "server/startup/data_directory.h"
#include "server/storage/files/posix_file_system.h"

namespace server {
namespace {

storage::FileSystem& disk() {
  static storage::PosixFileSystem files;
  return files;
}

wire::Result<void> prepare_directories(const Config& config) {
  if (auto made = prepare_directory(disk(), config.data_dir, "dataDir"); !made) return made;
  if (auto made = prepare_directory(disk(), config.log_dir, "dataLogDir"); !made) return made;
  if (const auto note = foreign_data(config.data_dir)) spdlog::warn("{}", *note);
  return {};
}

zab::Ensemble ensemble_of(const Config& config) {
  std::vector<zab::Member> members;
  for (const ServerLine& line : config.servers) {
    members.push_back({zab::ServerId{line.id}, line.observer, line.weight, line.group});
  }
  if (members.empty()) members.push_back({zab::ServerId{config.id}});
  return zab::Ensemble(std::move(members));
}

}  // namespace

wire::Result<RecoveredState> open_data(const Config& config) {
  if (const auto made = prepare_directories(config); !made) return made.error();
  storage::LogOptions options;
  options.segment_bytes = config.log_segment_bytes;
  options.history_bytes = config.history_bytes;
  auto found = recover_state(disk(), config.data_dir.string(), config.log_dir.string(),
                             zab::ServerId{config.id}, {config.max_watches, {}}, options);
  if (!found) return found.error();
  if (!found->report.empty()) {
    spdlog::log(found->lost ? spdlog::level::err : spdlog::level::info, "{}", found->report);
  }
  const auto level = found->log.recovered.damaged ? spdlog::level::err : spdlog::level::info;
  spdlog::log(level, "write-ahead log: {}", found->log.report);
  return found;
}

zab::Peer make_peer(const Config& config, zab::Durable recovered, zab::ClusterId new_cluster) {
  zab::PeerLimits limits;
  limits.init_limit = config.init_limit_heartbeats;
  limits.sync_limit = config.sync_limit_heartbeats;
  limits.history_bytes = config.history_bytes;
  return zab::Peer(zab::ServerId{config.id}, ensemble_of(config), limits, std::move(recovered),
                   new_cluster);
}

}  // namespace server
