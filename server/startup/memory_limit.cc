#include "server/startup/memory_limit.h"

#include <algorithm>
#include <fstream>
#include <optional>
#include <sstream>

#include "server/budgets/budgets.h"

namespace server {
namespace {

using std::filesystem::path;

std::optional<std::uint64_t> number_in_file(const path& file) {
  std::ifstream in(file);
  std::uint64_t value = 0;
  if (!(in >> value)) return std::nullopt;  // "max", too
  return value;
}

// MemTotal, in bytes.
std::optional<std::uint64_t> machine_memory(const path& root) {
  std::ifstream in(root / "proc/meminfo");
  std::string name;
  std::uint64_t kibibytes = 0;
  while (in >> name >> kibibytes) {
    if (name == "MemTotal:") return kibibytes * 1024;
    in.ignore(256, '\n');
  }
  return std::nullopt;
}

// The least limit in `group` below `mount`, and in the groups above it.
std::optional<std::uint64_t> least_limit(const path& mount, path group, const char* file) {
  std::optional<std::uint64_t> least;
  for (;; group = group.parent_path()) {
    const auto limit = number_in_file(mount / group / file);
    if (limit && (!least || *limit < *least)) least = limit;
    if (group.empty()) return least;
  }
}

// /proc/self/cgroup has lines "hierarchy:controllers:/group". Version 2 is hierarchy 0. In a
// container the group may be named as the host sees it; then its files are in the mount itself.
std::optional<std::uint64_t> cgroup_limit(const path& root) {
  std::ifstream in(root / "proc/self/cgroup");
  std::optional<std::uint64_t> least;
  for (std::string line; std::getline(in, line);) {
    std::istringstream fields(line);
    std::string hierarchy;
    std::string controllers;
    std::string group;
    if (!std::getline(fields, hierarchy, ':') || !std::getline(fields, controllers, ':') ||
        !std::getline(fields, group)) {
      continue;
    }
    const path below = path(group).relative_path();
    std::optional<std::uint64_t> limit;
    if (hierarchy == "0") limit = least_limit(root / "sys/fs/cgroup", below, "memory.max");
    if (controllers == "memory") {
      limit = least_limit(root / "sys/fs/cgroup/memory", below, "memory.limit_in_bytes");
    }
    if (limit && (!least || *limit < *least)) least = limit;
  }
  return least;
}

}  // namespace

MemoryLimit memory_limit(std::uint64_t configured, const path& root) {
  if (configured != 0) return {configured, "memoryLimitBytes"};
  const auto machine = machine_memory(root);
  const auto cgroup = cgroup_limit(root);
  // Without a limit, version 1 shows a number that no machine has.
  if (cgroup && (!machine || *cgroup < *machine)) {
    return {*cgroup / 5 * 4, "the limit of its cgroup"};
  }
  if (machine) return {*machine / 2, "the memory of this machine"};
  return {usual_memory_limit, "default: the memory of this machine is not known"};
}

}  // namespace server
