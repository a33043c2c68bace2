#include "server/storage/files/posix_file_system.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace storage {
namespace {

// What an operator can do about an error of the system. A lack of file descriptors or of space is
// no fault of the disk.
std::string_view advice(int number) {
  switch (number) {
    case EMFILE:
      return " (no file descriptor is left in this process: raise ulimit -n, or lower maxCnxns)";
    case ENFILE: return " (this machine has too many open files: raise fs.file-max)";
    case ENOSPC: return " (the disk is full: free some space)";
    case EDQUOT: return " (the disk quota of this user is used up: raise it, or free some space)";
    case EFBIG:
      return " (a file of this process may not become so large: raise ulimit -f, or LimitFSIZE= of "
             "a systemd unit)";
    case EIO: return " (the disk failed: check it)";
    default: return {};
  }
}

// Reads errno: call it directly after the call that failed.
wire::Error failed(std::string_view operation, const std::string& path) {
  const int number = errno;
  std::string message = std::string(operation) + ' ' + path + ": ";
  message += std::generic_category().message(number);
  return {wire::ErrorCode::system_error, message.append(advice(number))};
}

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }

  [[nodiscard]] int get() const { return number_; }
  [[nodiscard]] bool valid() const { return number_ >= 0; }

 private:
  int number_;
};

class PosixFile final : public File {
 public:
  PosixFile(Descriptor descriptor, std::string path)
      : descriptor_(std::move(descriptor)), path_(std::move(path)) {}

  Result<std::size_t> read(std::uint64_t offset, std::span<char> into) override {
    std::size_t done = 0;
    while (done < into.size()) {
      const ssize_t count = ::pread(descriptor_.get(), into.data() + done, into.size() - done,
                                    static_cast<off_t>(offset + done));
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return failed("read", path_);
      if (count == 0) break;
      done += static_cast<std::size_t>(count);
    }
    return done;
  }

  Result<void> write(std::uint64_t offset, std::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t count =
          ::pwrite(descriptor_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return failed("write", path_);
      bytes.remove_prefix(static_cast<std::size_t>(count));
      offset += static_cast<std::uint64_t>(count);
    }
    return {};
  }

  // Does not wait. fdatasync reports its errors.
  void start_writing(std::uint64_t offset, std::uint64_t count) override {
    ::sync_file_range(descriptor_.get(), static_cast<off_t>(offset), static_cast<off_t>(count),
                      SYNC_FILE_RANGE_WRITE);
  }

  Result<void> sync() override {
    // An interrupted wait says nothing about what is written.
    while (::fdatasync(descriptor_.get()) != 0) {
      if (errno != EINTR) return failed("sync", path_);
    }
    return {};
  }

  Result<std::uint64_t> size() override {
    struct stat status {};
    if (::fstat(descriptor_.get(), &status) != 0) return failed("stat", path_);
    return static_cast<std::uint64_t>(status.st_size);
  }

 private:
  Descriptor descriptor_;
  std::string path_;
};

class PosixLock final : public Lock {
 public:
  explicit PosixLock(Descriptor descriptor) : descriptor_(std::move(descriptor)) {}

 private:
  Descriptor descriptor_;
};

Result<std::unique_ptr<File>> open_file(std::string_view operation, const std::string& path,
                                        int flags) {
  Descriptor descriptor(::open(path.c_str(), flags | O_RDWR | O_CLOEXEC, S_IRUSR | S_IWUSR));
  if (!descriptor.valid()) return failed(operation, path);
  return std::unique_ptr<File>(std::make_unique<PosixFile>(std::move(descriptor), path));
}

std::string parent_of(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

Result<void> PosixFileSystem::make_directory(const std::string& path) {
  if (::mkdir(path.c_str(), S_IRWXU) != 0 && errno != EEXIST) return failed("make directory", path);
  // Syncs also an existing directory: the process that made it may have died before its sync.
  return sync_directory(parent_of(path));
}

Result<std::vector<std::string>> PosixFileSystem::list(const std::string& directory) {
  const auto close = [](DIR* stream) { ::closedir(stream); };
  const std::unique_ptr<DIR, decltype(close)> stream(::opendir(directory.c_str()), close);
  if (!stream) return failed("list", directory);

  std::vector<std::string> names;
  errno = 0;  // only errno distinguishes the end of readdir from an error
  while (const dirent* entry = ::readdir(stream.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  if (errno != 0) return failed("list", directory);
  std::ranges::sort(names);
  return names;
}

Result<void> PosixFileSystem::sync_directory(const std::string& path) {
  const Descriptor descriptor(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!descriptor.valid() || ::fsync(descriptor.get()) != 0) return failed("sync directory", path);
  return {};
}

Result<std::unique_ptr<File>> PosixFileSystem::open(const std::string& path) {
  return open_file("open", path, 0);
}

Result<std::unique_ptr<File>> PosixFileSystem::create(const std::string& path) {
  return open_file("create", path, O_CREAT | O_TRUNC);
}

Result<void> PosixFileSystem::rename(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return failed("rename to " + to, from);
  return {};
}

Result<void> PosixFileSystem::remove(const std::string& path) {
  if (::unlink(path.c_str()) != 0) return failed("remove", path);
  return {};
}

Result<std::unique_ptr<Lock>> PosixFileSystem::lock(const std::string& path) {
  Descriptor descriptor(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR));
  if (!descriptor.valid()) return failed("open", path);
  if (::flock(descriptor.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return failed("lock", path);
    return std::unique_ptr<Lock>();
  }
  return std::unique_ptr<Lock>(std::make_unique<PosixLock>(std::move(descriptor)));
}

}  // namespace storage
