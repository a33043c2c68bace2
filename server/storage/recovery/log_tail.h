#pragma once

#include <memory>
#include <string>

#include "server/storage/recovery/log_scan.h"

namespace storage {

struct LogTail {
  std::unique_ptr<File> file;  // of the last segment
  std::string dropped;         // for the report: the incomplete commit that was dropped, or empty
};

// Makes the end of an undamaged log ready for new records: zeros behind the last commit, and a seal
// in the segment before if that is due. Writes and syncs these and the last commit in any case: a
// sync that failed may have left in the page cache what the disk does not have.
[[nodiscard]] Result<LogTail> rewrite_tail(FileSystem& files, const SegmentCatalog& catalog,
                                           const LogScan& complete);

}  // namespace storage
