#pragma once

#include <memory>
#include <string>

#include "server/storage/recovery/log_scan.h"

namespace storage {

struct Tail {
  std::unique_ptr<File> file;  // of the last segment
  std::string dropped;         // for the report: a sentence, or nothing
};

// Makes of the end of a log without damage what a Segment wants it to be: zeros behind the last
// commit, and the seal of the segment before it. These and the last commit are written and synced
// whatever they look like: after a sync that failed, the page cache shows what the disk may not
// have.
[[nodiscard]] Result<Tail> mend_tail(FileSystem& files, const SegmentCatalog& catalog,
                                     const LogScan& whole);

}  // namespace storage
