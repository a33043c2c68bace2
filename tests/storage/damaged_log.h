#pragma once

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tests/storage/script.h"

namespace storage::test {

// The files of a log after `steps`, closed without a crash.
inline Files files_after(const std::vector<Step>& steps) {
  sim::SimFileSystem disk(1);
  REQUIRE(run_steps(disk, steps) == steps.size());
  return files_of(disk);
}

// The same without the extent: to test what the log itself shows.
inline Files segments_after(const std::vector<Step>& steps) {
  Files files = files_after(steps);
  files.erase(extent_path);
  return files;
}

// Opens a damaged log. Checks that its state is one that the log had, that the claim is true, and
// that no file was changed. The report must mention `what`. Returns how many commits of `steps` are
// in the state.
inline std::size_t check_damaged(sim::SimFileSystem& disk, const Files& files,
                                 const std::vector<Step>& steps, const std::string& what) {
  const auto opened = open(disk);
  REQUIRE(error_of(opened) == "");
  CAPTURE(opened->report);
  CHECK(mentions(opened->report, what));
  CHECK(mentions(opened->report, "does not vote"));
  for (const auto& [path, contents] : files) CHECK((disk.contents(path) == contents));

  const zab::Durable& is = opened->recovered;
  REQUIRE(is.damaged.has_value());
  const zab::Durable& end = steps.back().state;
  CHECK(*is.damaged >= zab::Claim{is.current_epoch, is.history.last().zxid});
  CHECK(is.damaged->current_epoch <= end.current_epoch);
  CHECK(is.accepted_epoch <= end.accepted_epoch);
  CHECK(is.current_epoch <= is.accepted_epoch);
  std::size_t kept = 0;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (steps[i].state.history.last() == is.history.last()) kept = i + 1;
  }
  CHECK((kept > 0 || is.history.last() == zab::Point{}));
  return kept;
}

}  // namespace storage::test
