#include "server/startup/file_limit.h"

#include <cerrno>
#include <sys/resource.h>
#include <system_error>

namespace server {

wire::Result<std::string> raise_file_limit(const Config& config) {
  const std::string advice = "raise it with ulimit -n, or with LimitNOFILE= of a systemd unit";
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return wire::Error{wire::ErrorCode::system_error, "cannot ask how many files may be open: " +
                                                          std::generic_category().message(errno)};
  }
  const rlim_t before = limit.rlim_cur;
  limit.rlim_cur = limit.rlim_max;
  if (before != limit.rlim_max && ::setrlimit(RLIMIT_NOFILE, &limit) != 0) limit.rlim_cur = before;

  const auto now = static_cast<std::uint64_t>(limit.rlim_cur);
  if (now < open_files_min) {
    return wire::Error{wire::ErrorCode::system_error,
                       "only " + std::to_string(now) + " files may be open, and a server needs " +
                           std::to_string(open_files_min) + "; " + advice};
  }
  std::string said;
  if (now != before) {
    said = "open files: raised from " + std::to_string(before) + " to " + std::to_string(now);
  }
  const std::uint64_t wanted = config.max_connections + open_files_min;
  if (config.max_connections != 0 && now < wanted) {
    said += (said.empty() ? "open files: " + std::to_string(now) : std::string()) +
            ", too few for the maxCnxns=" + std::to_string(config.max_connections) +
            " clients that are allowed; " + advice;
  }
  return said;
}

}  // namespace server
