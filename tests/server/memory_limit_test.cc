#include "server/startup/memory_limit.h"

#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tests/support/temporary_directory.h"

namespace {

TEST_CASE("the memory limit comes from the configuration, the cgroup or the machine") {
  struct Row {
    const char* what;
    std::uint64_t configured;
    std::map<std::string, std::string> files;
    std::uint64_t bytes;
  };
  const std::string machine = "MemTotal:        1000 kB\nMemFree:         900 kB\n";
  const std::vector<Row> rows{
      {"a key comes first", 77, {{"proc/meminfo", machine}}, 77},
      {"half of the machine", 0, {{"proc/meminfo", machine}}, 512'000},
      {"a cgroup without a limit",
       0,
       {{"proc/meminfo", machine},
        {"proc/self/cgroup", "0::/\n"},
        {"sys/fs/cgroup/memory.max", "max\n"}},
       512'000},
      {"version 2",
       0,
       {{"proc/meminfo", machine},
        {"proc/self/cgroup", "0::/system.slice/zabkeeper.service\n"},
        {"sys/fs/cgroup/system.slice/zabkeeper.service/memory.max", "500000\n"}},
       400'000},
      {"the group above has the lower limit",
       0,
       {{"proc/meminfo", machine},
        {"proc/self/cgroup", "0::/system.slice/zabkeeper.service\n"},
        {"sys/fs/cgroup/system.slice/memory.max", "100000\n"},
        {"sys/fs/cgroup/system.slice/zabkeeper.service/memory.max", "max\n"}},
       80'000},
      {"a container that is named as the host sees it",
       0,
       {{"proc/meminfo", machine},
        {"proc/self/cgroup", "0::/docker/abc\n"},
        {"sys/fs/cgroup/memory.max", "500000\n"}},
       400'000},
      {"version 1",
       0,
       {{"proc/meminfo", machine},
        {"proc/self/cgroup", "5:cpu,cpuacct:/\n4:memory:/docker/abc\n"},
        {"sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes", "500000\n"}},
       400'000},
      {"version 1 without a limit",
       0,
       {{"proc/meminfo", machine},
        {"proc/self/cgroup", "4:memory:/\n"},
        {"sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n"}},
       512'000},
      {"nothing is known", 0, {}, std::uint64_t{8} << 30},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    const test::TemporaryDirectory directory;
    const std::filesystem::path root = directory.path();
    for (const auto& [name, text] : row.files) {
      const std::filesystem::path file = root / name;
      std::filesystem::create_directories(file.parent_path());
      std::ofstream(file) << text;
    }
    CHECK(server::memory_limit(row.configured, root).bytes == row.bytes);
  }
}

}  // namespace
