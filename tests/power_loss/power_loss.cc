// A disk that can lose power, for an unmodified program: LD_PRELOAD=libpower_loss.so.
//
// Below the directory ZABKEEPER_POWER_DIR every write, creation, renaming and removal is recorded
// with the former content. The record is dropped once the change is synced: data by fsync or
// fdatasync of the file, names by fsync of the directory. SIGURG is the loss of power: all
// recorded changes are undone, and the process is killed. A sync whose changes are undone cannot
// have returned, because its return needs the lock, which the loss of power holds.
//
//   ZABKEEPER_POWER_KEEP=SEED  Each unsynced sector keeps any of its states since the last sync.
//   ZABKEEPER_POWER_AT=N       Power is lost in the N-th sync, instead of by the signal.
//   ZABKEEPER_POWER_LIES=1     Syncs return at once and make nothing durable: a program that relies
//                              on them must lose data.
#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <dlfcn.h>
#include <fcntl.h>
#include <map>
#include <mutex>
#include <pthread.h>
#include <semaphore.h>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace {

constexpr std::size_t sector = 512;

using Inode = std::pair<dev_t, ino_t>;

template <class Function>
Function* real(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}
#define REAL(name) (real<decltype(::name)>(#name))

struct Write {
  std::uint64_t number;
  off_t offset, size_before;
  std::string before;  // shorter than `length` if the file ended before
  std::size_t length;
};

struct File {
  int handle = -1;  // opened by this library
  std::vector<Write> writes;
};

struct Naming {
  std::uint64_t number;
  enum class Kind : std::uint8_t { created, renamed, removed } kind;
  std::string name, from, kept;  // `kept`: the path of the file that was replaced or removed
};

std::mutex mutex;
std::map<Inode, File> files;
std::vector<Naming> namings;
std::uint64_t last_number = 0, syncs = 0, kept_names = 0, state = 0;

const char* setting(const char* name) { return std::getenv(name); }

bool is_watched(const std::string& path) {
  static const char* directory = setting("ZABKEEPER_POWER_DIR");
  return directory != nullptr && path.starts_with(directory);
}

std::string path_of(int descriptor) {
  char target[4096];
  const std::string link = "/proc/self/fd/" + std::to_string(descriptor);
  const ssize_t length = ::readlink(link.c_str(), target, sizeof target);
  return length <= 0 ? "" : std::string(target, static_cast<std::size_t>(length));
}

std::string absolute(const char* path) {
  if (path[0] == '/') return path;
  char directory[4096];
  return ::getcwd(directory, sizeof directory) == nullptr ? path
                                                          : std::string(directory) + "/" + path;
}

std::string parent_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

std::string keep_name() {
  const std::string directory = std::string(setting("ZABKEEPER_POWER_DIR")) + "/.kept";
  ::mkdir(directory.c_str(), S_IRWXU);
  return directory + "/" + std::to_string(::getpid()) + "-" + std::to_string(++kept_names);
}

std::uint64_t random_number() {
  state += 0x9e3779b97f4a7c15U;
  std::uint64_t z = state;
  z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31U);
}

// Undoes the writes to a file, from the newest to the oldest. A sector that survives with one of
// its states is not changed by older writes.
void undo(File& file) {
  const bool keeps = setting("ZABKEEPER_POWER_KEEP") != nullptr;
  std::map<off_t, bool> survived;
  struct stat status {};
  ::fstat(file.handle, &status);
  off_t size = status.st_size;
  off_t survived_to = 0;
  for (auto write = file.writes.rbegin(); write != file.writes.rend(); ++write) {
    const off_t end = write->offset + static_cast<off_t>(write->length);
    for (off_t at = write->offset; at < end;) {
      const off_t number = at / static_cast<off_t>(sector);
      const off_t next = std::min(end, (number + 1) * static_cast<off_t>(sector));
      bool& survives = survived[number];
      survives = survives || (keeps && random_number() % 2 == 0);
      if (survives) {
        survived_to = std::max(survived_to, std::min(next, status.st_size));
      } else {
        const auto from = static_cast<std::size_t>(at - write->offset);
        std::string old(static_cast<std::size_t>(next - at), '\0');
        if (from < write->before.size()) {
          write->before.copy(old.data(), std::min(old.size(), write->before.size() - from), from);
        }
        if (REAL(pwrite)(file.handle, old.data(), old.size(), at) < 0) std::abort();
      }
      at = next;
    }
    size = write->size_before;
  }
  if (!file.writes.empty() && REAL(ftruncate)(file.handle, std::max(size, survived_to)) != 0) {
    std::abort();
  }
}

// The caller holds the lock, and it is never released.
[[noreturn]] void lose_power() {
  for (auto& [inode, file] : files) undo(file);
  for (auto naming = namings.rbegin(); naming != namings.rend(); ++naming) {
    if (naming->kind == Naming::Kind::created) REAL(unlink)(naming->name.c_str());
    if (naming->kind == Naming::Kind::renamed)
      REAL(rename)(naming->name.c_str(), naming->from.c_str());
    if (!naming->kept.empty()) REAL(rename)(naming->kept.c_str(), naming->name.c_str());
  }
  ::kill(::getpid(), SIGKILL);
  for (;;) ::pause();
}

sem_t asked;

void* wait_for_signal(void*) {
  while (::sem_wait(&asked) != 0) {
  }
  mutex.lock();
  lose_power();
}

__attribute__((constructor)) void begin() {
  if (setting("ZABKEEPER_POWER_DIR") == nullptr) return;
  if (const char* seed = setting("ZABKEEPER_POWER_KEEP")) state = std::strtoull(seed, nullptr, 10);
  ::sem_init(&asked, 0, 0);
  struct sigaction action {};  // of a signal that no program handles
  action.sa_handler = [](int) { ::sem_post(&asked); };
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGURG, &action, nullptr);
  pthread_t thread{};
  if (::pthread_create(&thread, nullptr, wait_for_signal, nullptr) != 0) std::abort();
  ::pthread_detach(thread);
}

File& file_of(int descriptor, const struct stat& status) {
  File& file = files[{status.st_dev, status.st_ino}];
  if (file.handle < 0) {
    const std::string link = "/proc/self/fd/" + std::to_string(descriptor);
    file.handle = REAL(open)(link.c_str(), O_RDWR | O_CLOEXEC);
  }
  return file;
}

// Records the content that a write of `length` bytes at `offset` will replace.
void record_write(int descriptor, off_t offset, std::size_t length, off_t size_after_cut = -1) {
  struct stat status {};
  if (::fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) return;
  if (!is_watched(path_of(descriptor))) return;
  File& file = file_of(descriptor, status);
  if (size_after_cut >= 0) {
    offset = std::min(size_after_cut, status.st_size);
    length = static_cast<std::size_t>(status.st_size - offset);
  }
  Write write{++last_number, offset, status.st_size, std::string(length, '\0'), length};
  const ssize_t count = ::pread(file.handle, write.before.data(), length, offset);
  write.before.resize(count < 0 ? 0 : static_cast<std::size_t>(count));
  file.writes.push_back(std::move(write));
}

int record_opened(int descriptor, const char* path, bool existed, int flags) {
  if (descriptor < 0 || (flags & O_CREAT) == 0 || existed) return descriptor;
  const std::string name = absolute(path);
  if (is_watched(name)) namings.push_back({++last_number, Naming::Kind::created, name, "", ""});
  return descriptor;
}

template <class Open>
int open_recording(const char* name, const char* path, int flags, mode_t mode) {
  const std::lock_guard lock(mutex);
  struct stat status {};
  const bool existed = ::stat(path, &status) == 0;
  if (existed && (flags & O_TRUNC) != 0 && is_watched(absolute(path))) {
    const int descriptor = REAL(open)(path, O_RDWR | O_CLOEXEC);
    record_write(descriptor, 0, 0, 0);
    ::close(descriptor);
  }
  return record_opened(real<Open>(name)(path, flags, mode), path, existed, flags);
}

int sync_recording(int descriptor, const char* name) {
  std::uint64_t number = 0;
  {
    const std::lock_guard lock(mutex);
    if (!is_watched(path_of(descriptor))) return real<int(int)>(name)(descriptor);
    number = last_number;
    const char* at = setting("ZABKEEPER_POWER_AT");
    if (at != nullptr && ++syncs == std::strtoull(at, nullptr, 10)) lose_power();
  }
  if (setting("ZABKEEPER_POWER_LIES") != nullptr) return 0;
  const int result = real<int(int)>(name)(descriptor);
  if (result != 0) return result;
  const int number_of_error = errno;
  const std::lock_guard lock(mutex);
  struct stat status {};
  ::fstat(descriptor, &status);
  if (S_ISDIR(status.st_mode)) {
    const std::string directory = path_of(descriptor);
    std::erase_if(namings, [&](const Naming& naming) {
      if (naming.number > number || parent_of(naming.name) != directory) return false;
      if (!naming.kept.empty()) REAL(unlink)(naming.kept.c_str());
      return true;
    });
  } else if (const auto file = files.find({status.st_dev, status.st_ino}); file != files.end()) {
    std::erase_if(file->second.writes, [&](const Write& w) { return w.number <= number; });
  }
  errno = number_of_error;
  return result;
}

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const auto mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : mode_t{0};
  va_end(arguments);
  return open_recording<int(const char*, int, ...)>("open", path, flags, mode);
}

int open64(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const auto mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : mode_t{0};
  va_end(arguments);
  return open_recording<int(const char*, int, ...)>("open64", path, flags, mode);
}

ssize_t pwrite(int descriptor, const void* data, size_t length, off_t offset) {
  const std::lock_guard lock(mutex);
  record_write(descriptor, offset, length);
  return REAL(pwrite)(descriptor, data, length, offset);
}

ssize_t pwrite64(int descriptor, const void* data, size_t length, off64_t offset) {
  const std::lock_guard lock(mutex);
  record_write(descriptor, offset, length);
  return REAL(pwrite64)(descriptor, data, length, offset);
}

ssize_t write(int descriptor, const void* data, size_t length) {
  const off_t offset = ::lseek(descriptor, 0, SEEK_CUR);
  if (offset < 0) return REAL(write)(descriptor, data, length);  // a socket, a pipe
  const std::lock_guard lock(mutex);
  record_write(descriptor, offset, length);
  return REAL(write)(descriptor, data, length);
}

int ftruncate(int descriptor, off_t length) noexcept {
  const std::lock_guard lock(mutex);
  record_write(descriptor, 0, 0, length);
  return REAL(ftruncate)(descriptor, length);
}

int fdatasync(int descriptor) { return sync_recording(descriptor, "fdatasync"); }
int fsync(int descriptor) { return sync_recording(descriptor, "fsync"); }

int rename(const char* from, const char* to) noexcept {
  const std::lock_guard lock(mutex);
  const std::string name = absolute(to);
  if (!is_watched(name)) return REAL(rename)(from, to);
  Naming naming{++last_number, Naming::Kind::renamed, name, absolute(from), ""};
  struct stat status {};
  if (::stat(to, &status) == 0) {
    naming.kept = keep_name();
    if (::link(to, naming.kept.c_str()) != 0) return -1;
  }
  const int result = REAL(rename)(from, to);
  if (result == 0) namings.push_back(std::move(naming));
  return result;
}

int unlink(const char* path) noexcept {
  const std::lock_guard lock(mutex);
  const std::string name = absolute(path);
  if (!is_watched(name)) return REAL(unlink)(path);
  Naming naming{++last_number, Naming::Kind::removed, name, "", keep_name()};
  const int result = REAL(rename)(path, naming.kept.c_str());
  if (result == 0) namings.push_back(std::move(naming));
  return result;
}

}  // extern "C"
