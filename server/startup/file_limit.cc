#include "server/startup/file_limit.h"

#include <algorithm>
#include <cerrno>
#include <sys/resource.h>
#include <system_error>

namespace server {

wire::Result<std::string> raise_file_limit(std::uint32_t max_connections) {
  const std::string advice = "raise it with ulimit -n, or with LimitNOFILE= of a systemd unit";
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return wire::Error{wire::ErrorCode::system_error, "cannot read the limit of open files: " +
                                                          std::generic_category().message(errno)};
  }
  const rlim_t before = limit.rlim_cur;
  limit.rlim_cur = limit.rlim_max;
  if (before != limit.rlim_max && ::setrlimit(RLIMIT_NOFILE, &limit) != 0) limit.rlim_cur = before;

  const auto now = static_cast<std::uint64_t>(limit.rlim_cur);
  if (now < open_files_min) {
    return wire::Error{wire::ErrorCode::system_error,
                       "this process may open only " + std::to_string(now) +
                           " files, and a server needs " + std::to_string(open_files_min) + "; " +
                           advice};
  }
  std::string note;
  if (now != before) {
    note = "open files: raised from " + std::to_string(before) + " to " + std::to_string(now);
  }
  const std::uint32_t places = file_places(now).connections;
  if (max_connections != 0 && places < max_connections) {
    note += (note.empty() ? "open files: " + std::to_string(now) : std::string()) +
            ", too few for maxCnxns=" + std::to_string(max_connections) +
            " clients: " + std::to_string(places) + " are accepted; " + advice;
  }
  return note;
}

std::uint64_t open_files_max() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return open_files_min;
  return static_cast<std::uint64_t>(limit.rlim_cur);
}

FilePlaces file_places(std::uint64_t open_files) {
  constexpr std::uint64_t own_max = 128;  // with 64 handshakes of other servers
  constexpr std::uint64_t kept_max = 64;
  constexpr std::uint64_t places_max = 100'000'000;
  const std::uint64_t rest = open_files - std::min(own_max, open_files / 2);
  const std::uint64_t kept = std::min(kept_max, rest / 4);
  return {static_cast<std::uint32_t>(std::min(rest - 2 * kept, places_max)),
          static_cast<std::uint32_t>(kept)};
}

}  // namespace server
