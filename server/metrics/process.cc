#include "server/metrics/process.h"

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <sys/resource.h>
#include <unistd.h>

// jemalloc's, for a program that is linked with it.
extern "C" int mallctl(const char* name, void* old_value, std::size_t* old_size, void* new_value,
                       std::size_t new_size) __attribute__((weak));

namespace server {
namespace {

std::string content_of(const char* path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

double boot_seconds() {
  std::istringstream lines(content_of("/proc/stat"));
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("btime ")) return std::stod(line.substr(6));
  }
  return 0;
}

// proc(5), /proc/self/stat: fields count from 1, and the second is a name in parentheses.
void read_stat(ProcessReadings& readings) {
  const std::string stat = content_of("/proc/self/stat");
  std::istringstream rest(stat.substr(std::min(stat.rfind(')') + 1, stat.size())));
  std::string words[22];  // from the third field on
  for (std::string& word : words) {
    if (!(rest >> word)) return;
  }
  const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  readings.cpu_seconds = (std::stod(words[11]) + std::stod(words[12])) / ticks;
  readings.threads = std::stoull(words[17]);
  readings.start_seconds = boot_seconds() + std::stod(words[19]) / ticks;
  readings.virtual_bytes = std::stoull(words[20]);
  readings.resident_bytes =
      std::stoull(words[21]) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

std::uint64_t count_of(const char* name) {
  std::size_t count = 0;
  std::size_t size = sizeof count;
  return mallctl(name, &count, &size, nullptr, 0) == 0 ? count : 0;
}

void read_allocator(ProcessReadings& readings) {
  if (mallctl == nullptr) return;
  std::uint64_t epoch = 1;  // any value refreshes the counts
  std::size_t size = sizeof epoch;
  if (mallctl("epoch", &epoch, &size, &epoch, size) != 0) return;
  readings.allocated_bytes = count_of("stats.allocated");
  readings.allocator_active_bytes = count_of("stats.active");
}

}  // namespace

ProcessReadings read_process() {
  ProcessReadings readings;
  read_stat(readings);
  read_allocator(readings);
  std::error_code error;
  std::filesystem::directory_iterator entry("/proc/self/fd", error);
  // The descriptor that reads the directory is one of them.
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    readings.open_files += 1;
  }
  readings.open_files -= std::min<std::uint64_t>(readings.open_files, 1);
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) readings.open_files_max = limit.rlim_cur;
  return readings;
}

}  // namespace server
