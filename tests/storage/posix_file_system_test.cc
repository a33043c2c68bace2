#include "server/storage/files/posix_file_system.h"

#include <array>
#include <filesystem>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include "tests/storage/script.h"
#include "tests/support/temporary_directory.h"

namespace storage::test {
namespace {

using ::test::TemporaryDirectory;

unsigned mode_of(const std::string& path) {
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  return status.st_mode & 0777u;
}

TEST_CASE("a log on a real disk is recovered after it is closed") {
  const TemporaryDirectory temporary;
  const std::string path = temporary.path() + "/log";
  PosixFileSystem files;
  const std::vector<Step> steps = full_script();
  {
    auto opened = Log::open(files, path, self, {}, small);
    REQUIRE(error_of(opened) == "");
    for (const Step& step : steps) {
      opened->log.stage(step.effects);
      REQUIRE(error_of(opened->log.commit()) == "");
      REQUIRE(error_of(opened->log.prepare()) == "");
    }
    CHECK(error_of(Log::open(files, path, self, {}, small)) ==
          path + ": in use by another process, which holds the lock on " + path + "/lock");
  }
  CHECK(mode_of(path) == 0700u);
  for (const auto& file : std::filesystem::directory_iterator(path)) {
    CHECK(mode_of(file.path()) == 0600u);
  }
  const auto opened = Log::open(files, path, self, {}, small);
  REQUIRE(error_of(opened) == "");
  CHECK(describe(opened->recovered) == steps.back().after);
}

TEST_CASE("a new log with default options takes at most 2 MiB") {
  const TemporaryDirectory temporary;
  PosixFileSystem files;
  const auto opened = Log::open(files, temporary.path() + "/log", self, {});
  REQUIRE(error_of(opened) == "");
  CHECK(std::filesystem::file_size(temporary.path() + "/log/" + segment_name(1)) <= (2u << 20));
}

TEST_CASE("a lack of file descriptors is not reported as a fault of the disk") {
  const TemporaryDirectory temporary;
  PosixFileSystem files;
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  const rlimit none{0, before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  const std::string error = error_of(files.create(temporary.path() + "/file"));
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  CHECK(error.find("raise ulimit -n") != std::string::npos);
  CHECK(error.find("disk") == std::string::npos);
}

TEST_CASE("a lock is held until the process that has it ends") {
  const TemporaryDirectory temporary;
  const std::string path = temporary.path() + "/lock";
  PosixFileSystem files;
  // The child only locks the file and waits for a kill. It does not use the test framework.
  std::array<int, 2> ready{};
  REQUIRE(::pipe(ready.data()) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto lock = files.lock(path);
    const char byte = lock && *lock ? 'y' : 'n';
    if (::write(ready[1], &byte, 1) == 1) ::pause();
    ::_exit(0);
  }
  char byte = 0;
  CHECK(::read(ready[0], &byte, 1) == 1);
  CHECK(byte == 'y');
  const auto second = files.lock(path);
  REQUIRE(error_of(second) == "");
  CHECK(*second == nullptr);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  const auto third = files.lock(path);
  REQUIRE(error_of(third) == "");
  CHECK(*third != nullptr);
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST_CASE("files are created, read, written, renamed, listed and removed") {
  const TemporaryDirectory temporary;
  PosixFileSystem files;
  const std::string path = temporary.path() + "/file";
  {
    const auto file = files.create(path);
    REQUIRE(error_of(file) == "");
    CHECK(error_of((*file)->write(3, "abc")) == "");
    CHECK(error_of((*file)->sync()) == "");
    CHECK(*(*file)->size() == 6);
  }
  const auto file = files.open(path);
  REQUIRE(error_of(file) == "");
  std::array<char, 8> bytes{};
  CHECK(*(*file)->read(0, bytes) == 6);
  CHECK(std::string(bytes.data(), 6) == std::string("\0\0\0abc", 6));
  CHECK(*(*file)->read(5, bytes) == 1);
  CHECK(*(*file)->read(6, bytes) == 0);
  CHECK(*(*file)->read(100, bytes) == 0);

  CHECK(error_of(files.rename(path, temporary.path() + "/b")) == "");
  CHECK(error_of(files.create(temporary.path() + "/a")) == "");
  CHECK(*files.list(temporary.path()) == std::vector<std::string>{"a", "b"});
  CHECK(error_of(files.create(temporary.path() + "/b")) == "");
  CHECK(std::filesystem::file_size(temporary.path() + "/b") == 0);
  CHECK(error_of(files.remove(temporary.path() + "/a")) == "");
  CHECK(*files.list(temporary.path()) == std::vector<std::string>{"b"});
  CHECK(error_of(files.sync_directory(temporary.path())) == "");
  CHECK(error_of(files.make_directory(temporary.path() + "/d/")) == "");
  CHECK(error_of(files.make_directory(temporary.path() + "/d")) == "");
}

TEST_CASE("an error names the operation, the path and the reason") {
  PosixFileSystem files;
  const std::string path = "/nonexistent/file";
  const std::string reason = ": No such file or directory";
  CHECK(error_of(files.open(path)) == "open " + path + reason);
  CHECK(error_of(files.create(path)) == "create " + path + reason);
  CHECK(error_of(files.remove(path)) == "remove " + path + reason);
  CHECK(error_of(files.rename(path, "/b")) == "rename to /b " + path + reason);
  CHECK(error_of(files.list(path)) == "list " + path + reason);
  CHECK(error_of(files.lock(path)) == "open " + path + reason);
  CHECK(error_of(files.make_directory(path)) == "make directory " + path + reason);
  CHECK(error_of(files.sync_directory(path)) == "sync directory " + path + reason);
  CHECK(error_of(Log::open(files, path, self, {})) == "make directory " + path + reason);
}

}  // namespace
}  // namespace storage::test
