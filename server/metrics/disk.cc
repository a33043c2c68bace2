#include "server/metrics/disk.h"

#include <condition_variable>
#include <mutex>
#include <string>
#include <sys/statvfs.h>
#include <system_error>
#include <utility>

#include "server/threads/thread.h"

namespace server {
namespace {

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

}  // namespace

class DiskReader::Shared {
 public:
  explicit Shared(std::filesystem::path directory) : directory_(std::move(directory)) {}

  DiskReadings read() {
    std::unique_lock lock(mutex_);
    if (!is_asked_) {  // else the disk has hung since an earlier question: do not wait again
      is_asked_ = true;
      asked_.notify_one();
      answered_.wait_for(lock, patience, [this] { return !is_asked_; });
    }
    return last_;
  }

  void end() {
    const std::lock_guard lock(mutex_);
    ends_ = true;
    asked_.notify_one();
  }

  // The thread.
  void run() {
    std::unique_lock lock(mutex_);
    for (;;) {
      asked_.wait(lock, [this] { return ends_ || is_asked_; });
      if (ends_) return;
      lock.unlock();
      const DiskReadings readings = read_disk(directory_);
      lock.lock();
      last_ = readings;
      is_asked_ = false;
      answered_.notify_one();
    }
  }

 private:
  const std::filesystem::path directory_;
  std::mutex mutex_;  // guards the rest
  std::condition_variable asked_;
  std::condition_variable answered_;
  DiskReadings last_;
  bool is_asked_ = false;
  bool ends_ = false;
};

DiskReader::DiskReader(std::filesystem::path log_directory)
    : shared_(std::make_shared<Shared>(std::move(log_directory))) {
  start_thread("that reads the size of the disk", [shared = shared_] { shared->run(); }).detach();
}

DiskReader::~DiskReader() { shared_->end(); }
DiskReadings DiskReader::read() { return shared_->read(); }

}  // namespace server
