#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xxhash.h>

#include "server/storage/checkpoint.h"
#include "server/storage/lmdb_value.h"

namespace storage {
namespace {

// A probe that is slower than this is killed: damaged pages may form a circle.
constexpr std::uint64_t probe_bytes_per_second = std::uint64_t{10} << 20;
constexpr unsigned probe_seconds_min = 30;

// --- In the child process ---

// The child may die of a signal: that is a result, not a crash to be reported.
void die_silently_after(unsigned seconds) {
  for (const int signal : {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGALRM, SIGTERM, SIGINT}) {
    std::signal(signal, SIG_DFL);
  }
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
  if (const int null = ::open("/dev/null", O_WRONLY | O_CLOEXEC); null >= 0) dup2(null, 2);
  alarm(seconds);
}

// Writes the label to `out`, if there is one. Then reads everything else. Changes nothing on the
// disk. Returns the exit status: 0 if the file could be read.
int read_everything(const char* path, std::size_t map_bytes, int out) {
  MDB_env* env = nullptr;
  MDB_txn* txn = nullptr;
  MDB_cursor* cursor = nullptr;
  MDB_dbi dbi = 0;
  if (mdb_env_create(&env) != 0 || mdb_env_set_mapsize(env, map_bytes) != 0 ||
      mdb_env_open(env, path, MDB_NOSUBDIR | MDB_RDONLY | MDB_NOLOCK, 0) != 0 ||
      mdb_txn_begin(env, nullptr, MDB_RDONLY, &txn) != 0 ||
      mdb_dbi_open(txn, nullptr, 0, &dbi) != 0 || mdb_cursor_open(txn, dbi, &cursor) != 0) {
    return 1;
  }
  MDB_val key = value_of(label_key);
  MDB_val value{};
  if (const int code = mdb_get(txn, dbi, &key, &value); code == 0) {
    const std::size_t count = std::min(value.mv_size, label_bytes_max);  // fits into a pipe
    if (::write(out, value.mv_data, count) != static_cast<ssize_t>(count)) return 1;
  } else if (code != MDB_NOTFOUND) {
    return 1;
  }
  wire::Bytes last;
  for (;;) {
    const int code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    if (code == MDB_NOTFOUND) return 0;
    if (code != 0) return 1;
    volatile XXH64_hash_t touched = XXH3_64bits(value.mv_data, value.mv_size);
    static_cast<void>(touched);
    if (!last.empty() && bytes_of(key) <= last) return 1;
    last = bytes_of(key);
  }
}

// --- In this process ---

struct ChildReport {
  wire::Bytes label;
  bool read_all = false;
};

// Everything that the child writes to the pipe until it ends.
wire::Bytes read_pipe(int pipe) {
  wire::Bytes bytes;
  std::array<char, label_bytes_max> part{};
  for (;;) {
    const ssize_t count = ::read(pipe, part.data(), part.size());
    if (count > 0) bytes.append(part.data(), static_cast<std::size_t>(count));
    if (count == 0 || (count < 0 && errno != EINTR)) return bytes;
  }
}

bool succeeded(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return false;
  }
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

// Nothing if no child could be started; `errno` says why.
std::optional<ChildReport> read_in_child(const std::string& path, std::size_t map_bytes,
                                         unsigned seconds) {
  std::array<int, 2> pipe{};
  if (::pipe2(pipe.data(), O_CLOEXEC) != 0) return std::nullopt;
  const pid_t child = fork();
  if (child == 0) {
    die_silently_after(seconds);
    _exit(read_everything(path.c_str(), map_bytes, pipe[1]));
  }
  const int why = errno;
  ::close(pipe[1]);
  ChildReport report;
  if (child > 0) report = {read_pipe(pipe[0]), succeeded(child)};
  ::close(pipe[0]);
  errno = why;
  if (child < 0) return std::nullopt;
  return report;
}

}  // namespace

Result<std::optional<CheckpointLabel>> Checkpoint::probe() const {
  const std::size_t map_bytes = std::max<std::size_t>(map_bytes_, 2 * bytes());
  const auto seconds = static_cast<unsigned>(bytes() / probe_bytes_per_second) + probe_seconds_min;
  const auto report = read_in_child(path_, map_bytes, seconds);
  if (!report) {
    return wire::Error{
        wire::ErrorCode::system_error,
        path_ + ": cannot start a process to check it: " + std::generic_category().message(errno)};
  }
  std::optional<CheckpointLabel> label;
  if (!report->label.empty()) {
    auto decoded = decode_label(report->label);
    if (!decoded) return wire::Error{decoded.error().code, path_ + ": " + decoded.error().message};
    label = std::move(*decoded);
  }
  if (!report->read_all) {
    return wire::Error{wire::ErrorCode::system_error,
                       path_ + ": the checkpoint is damaged: it could not be read to its end"};
  }
  return label;
}

}  // namespace storage
