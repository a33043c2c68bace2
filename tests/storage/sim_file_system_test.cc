#include "tests/support/sim_file_system.h"

#include <algorithm>
#include <memory>

#include <doctest/doctest.h>

#include "tests/storage/script.h"

// The simulated disk must do everything bad that a real one may do. Otherwise the tests that use it
// prove nothing.
namespace storage::test {
namespace {

using sim::Fault;
using sim::SimFileSystem;

const std::string path = "/d/file";

// For how many of 200 disks `test` returns true.
template <typename Test>
int count(Test test) {
  int hits = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    SimFileSystem disk(seed);
    REQUIRE(error_of(disk.make_directory("/d")) == "");
    hits += test(disk) ? 1 : 0;
  }
  return hits;
}

std::unique_ptr<File> durable_file(SimFileSystem& disk, const std::string& contents) {
  auto file = disk.create(path);
  REQUIRE(error_of(file) == "");
  REQUIRE(error_of((*file)->write(0, contents)) == "");
  REQUIRE(error_of((*file)->sync()) == "");
  REQUIRE(error_of(disk.sync_directory("/d")) == "");
  return std::move(*file);
}

bool exists(const SimFileSystem& disk, const std::string& name) {
  const auto paths = disk.paths();
  return std::ranges::find(paths, name) != paths.end();
}

TEST_CASE("synced data survive a loss of power") {
  CHECK(count([](SimFileSystem& disk) {
          durable_file(disk, "abc");
          disk.power_cycle();
          return disk.contents(path) == "abc";
        }) == 200);
}

TEST_CASE("a loss of power may keep, lose or tear data that are not synced") {
  const std::string before(1024, 'a');
  const std::string after(1024, 'b');
  const auto ends_as = [&](const std::string& wanted) {
    return count([&](SimFileSystem& disk) {
      REQUIRE(error_of(durable_file(disk, before)->write(0, after)) == "");
      disk.power_cycle();
      return disk.contents(path) == wanted;
    });
  };
  CHECK(ends_as(before) > 20);
  CHECK(ends_as(after) > 20);
  CHECK(ends_as(before.substr(0, 512) + after.substr(0, 512)) > 20);
  CHECK(ends_as(after.substr(0, 512) + before.substr(0, 512)) > 20);
  const int torn = count([&](SimFileSystem& disk) {
    REQUIRE(error_of(durable_file(disk, before)->write(0, after)) == "");
    disk.power_cycle();
    const std::string sector = disk.contents(path).substr(0, 512);
    return sector != before.substr(0, 512) && sector != after.substr(0, 512);
  });
  CHECK(torn > 3);
}

TEST_CASE("the end of a process loses no data, and releases its locks") {
  CHECK(count([](SimFileSystem& disk) {
          const auto lock = disk.lock("/d/lock");
          REQUIRE(*disk.lock("/d/lock") == nullptr);
          REQUIRE(error_of((*disk.create(path))->write(0, "abc")) == "");
          disk.kill();
          return disk.contents(path) == "abc" && *disk.lock("/d/lock");
        }) == 200);
}

TEST_CASE("without a sync of the directory a loss of power may undo a new file, name or removal") {
  const int gone = count([](SimFileSystem& disk) {
    auto file = disk.create(path);
    REQUIRE(error_of((*file)->write(0, "abc")) == "");
    REQUIRE(error_of((*file)->sync()) == "");
    disk.power_cycle();
    return !exists(disk, path);
  });
  CHECK(gone > 50);
  CHECK(gone < 150);
  const int renamed = count([](SimFileSystem& disk) {
    durable_file(disk, "abc");
    REQUIRE(error_of(disk.rename(path, "/d/other")) == "");
    disk.power_cycle();
    REQUIRE(exists(disk, path) != exists(disk, "/d/other"));
    return exists(disk, "/d/other");
  });
  CHECK(renamed > 50);
  CHECK(renamed < 150);
  const int removed = count([](SimFileSystem& disk) {
    durable_file(disk, "abc");
    REQUIRE(error_of(disk.remove(path)) == "");
    disk.power_cycle();
    return !exists(disk, path);
  });
  CHECK(removed > 50);
  CHECK(removed < 150);
}

TEST_CASE("after a failed sync the next one succeeds, but the data may be lost") {
  const auto with = [](bool overwritten) {
    return count([&](SimFileSystem& disk) {
      const auto file = durable_file(disk, "old");
      REQUIRE(error_of(file->write(0, "new")) == "");
      disk.fail_at(disk.operations(), Fault::io_error);
      REQUIRE(error_of(file->sync()) == "sync /d/file: Input/output error");
      REQUIRE(disk.contents(path) == "new");
      if (overwritten) REQUIRE(error_of(file->write(0, "new")) == "");
      REQUIRE(error_of(file->sync()) == "");
      disk.power_cycle();
      return disk.contents(path) == "new";
    });
  };
  CHECK(with(false) < 150);
  CHECK(with(false) > 50);
  CHECK(with(true) == 200);
}

TEST_CASE("without power every operation fails and changes nothing") {
  SimFileSystem disk(1);
  REQUIRE(error_of(disk.make_directory("/d")) == "");
  const auto file = durable_file(disk, "abc");
  disk.fail_at(disk.operations(), Fault::power);
  CHECK(error_of(file->size()) == "stat /d/file: the power is off");
  CHECK(error_of(file->write(0, "xyz")) == "write /d/file: the power is off");
  CHECK(error_of(file->sync()) != "");
  CHECK(error_of(disk.create("/d/other")) != "");
  CHECK(error_of(disk.list("/d")) != "");
  disk.power_cycle();
  CHECK(disk.contents(path) == "abc");
  CHECK(disk.paths() == std::vector<std::string>{path});
}

TEST_CASE("equal seeds give equal disks") {
  const std::vector<Step> steps = full_script();
  for (const std::uint64_t at : {30, 77, 120}) {
    std::vector<std::string> files;
    for (int i = 0; i < 2; ++i) {
      SimFileSystem disk(at);
      disk.fail_at(at, Fault::power);
      run_steps(disk, steps);
      disk.power_cycle();
      std::string all;
      for (const std::string& name : disk.paths()) all += name + disk.contents(name);
      files.push_back(all);
    }
    CHECK((files[0] == files[1]));
  }
}

TEST_CASE("a simulated disk fails exactly the operations that its fault rule selects") {
  SimFileSystem disk(1);
  disk.set_fault_rule([](std::uint64_t operation) {
    return operation % 2 == 1 ? std::optional(Fault::no_space) : std::nullopt;
  });
  CHECK(error_of(disk.make_directory("/d")) == "");
  CHECK(error_of(disk.make_directory("/e")) == "make directory /e: No space left on device");
  CHECK(error_of(disk.make_directory("/e")) == "");
  CHECK(disk.operations() == 3);
}

}  // namespace
}  // namespace storage::test
