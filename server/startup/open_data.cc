#include "server/startup/open_data.h"

#include <utility>

#include <spdlog/spdlog.h>

#include "server/startup/data_directory.h"
#include "server/storage/files/posix_file_system.h"

namespace server {
namespace {

storage::FileSystem& disk() {
  static storage::PosixFileSystem files;
  return files;
}

wire::Result<void> prepare_directories(const DataOptions& options) {
  if (auto made = prepare_directory(disk(), options.data_dir, "dataDir"); !made) return made;
  if (auto made = prepare_directory(disk(), options.log_dir, "dataLogDir"); !made) return made;
  if (const auto note = foreign_data(options.data_dir)) spdlog::warn("{}", *note);
  return {};
}

}  // namespace

wire::Result<RecoveredState> open_data(const DataOptions& options) {
  if (const auto made = prepare_directories(options); !made) return made.error();
  auto found = recover_state(disk(), options);
  if (!found) return found.error();
  if (!found->report.empty()) {
    spdlog::log(found->lost ? spdlog::level::err : spdlog::level::info, "{}", found->report);
  }
  const auto level = found->log.recovered.damaged ? spdlog::level::err : spdlog::level::info;
  spdlog::log(level, "write-ahead log: {}", found->log.report);
  return found;
}

}  // namespace server
