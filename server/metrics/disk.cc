#include "server/metrics/disk.h"

#include <string>
#include <sys/statvfs.h>
#include <system_error>

namespace server {

DiskReadings read_disk(const std::filesystem::path& log_directory) {
  DiskReadings readings;
  std::error_code error;
  std::filesystem::directory_iterator entry(log_directory, error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    const bool is_spare = name.starts_with("spare.") || name == "log.new";
    if (!is_spare && !name.starts_with("log.")) continue;
    std::error_code unreadable;
    const std::uintmax_t size = entry->file_size(unreadable);
    if (unreadable) continue;
    readings.log_segments += is_spare ? 0 : 1;
    readings.log_bytes += size;
  }
  struct statvfs disk {};
  if (::statvfs(log_directory.c_str(), &disk) == 0) {
    readings.free_bytes = std::uint64_t{disk.f_bavail} * disk.f_frsize;
    readings.size_bytes = std::uint64_t{disk.f_blocks} * disk.f_frsize;
  }
  return readings;
}

}  // namespace server
