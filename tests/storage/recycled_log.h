#pragma once

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tests/storage/script.h"

namespace storage::test {

inline const LogOptions recycling{.segment_bytes = 16384, .fill_bytes = 2048};

// Checks that the state is the one after `acknowledged` commits, or after one more. Returns after
// how many.
inline std::size_t check_recovered(const std::vector<Step>& steps, const zab::Durable& is,
                                   std::size_t acknowledged) {
  CHECK_FALSE(is.damaged.has_value());
  for (const std::size_t commits : {acknowledged, acknowledged + 1}) {
    const zab::Durable& was = commits == 0 ? zab::Durable{} : steps.at(commits - 1).state;
    if (is.history.last() == was.history.last() && is.accepted_epoch == was.accepted_epoch &&
        is.current_epoch == was.current_epoch) {
      return commits;
    }
  }
  FAIL("after ", acknowledged, " acknowledged commits recovered to: ", describe(is));
  return 0;
}

// The paths of all spare files.
inline std::vector<std::string> spares_of(const sim::SimFileSystem& disk) {
  std::vector<std::string> found;
  for (const std::string& path : disk.paths()) {
    if (path.starts_with(directory + "/spare.")) found.push_back(path);
  }
  return found;
}

// A log with a spare file. Its last segment has many bytes of an earlier segment behind its
// records.
struct Recycled {
  sim::SimFileSystem disk{1};
  std::vector<Step> steps;
  zab::Point checkpoint;
  LogPosition records_end;

  Recycled() {
    auto opened = open(disk, recycling);
    REQUIRE(error_of(opened) == "");
    Log& log = opened->log;
    Script script;
    script.accept(1, 1);
    script.adopt(1);
    while (log.end().sequence < 6 || log.end().offset < 7000) {
      script.append(1, 700);
      steps.push_back({script.take_effects(), {}, script.state()});
      log.stage(steps.back().effects);
      REQUIRE(error_of(log.commit()) == "");
      if (log.end().sequence == 6 && log.end().offset > 5000) continue;
      checkpoint = script.state().history.last();
      REQUIRE(error_of(log.purge(checkpoint, 0)) == "");
    }
    records_end = log.end();
  }

  // Without the extent: to test what the log itself shows.
  [[nodiscard]] Files files() const {
    Files files = files_of(disk);
    files.erase(extent_path);
    return files;
  }
  // The last segment, which is the only one.
  [[nodiscard]] std::string path() const { return path_of(records_end.sequence); }
};

}  // namespace storage::test
