#pragma once

#include <string>

#include "server/storage/segment.h"
#include "zab/state.h"

namespace storage {

struct Recovered {
  zab::Durable durable;
  std::uint64_t next_commit = 1;
  Segment segment;     // to go on in
  std::string report;  // what was found, and what was dropped: a line or more, for the operator
};

// Reads the whole log in `directory`, and begins one if there is none. All of what is returned is
// durable, whatever the page cache pretended. May be repeated after dying anywhere in it.
//
// The one thing that it drops is a last commit that is incomplete: a crash before its sync
// returned. Whatever else does not hold is an error, and nothing is changed then: damage before an
// intact record, a missing segment, another server's file.
[[nodiscard]] Result<Recovered> recover(FileSystem& files, const std::string& directory,
                                        const Identity& identity, const Options& options);

}  // namespace storage
