#pragma once

#include <optional>
#include <string>
#include <vector>

#include "server/storage/files/file_system.h"
#include "server/storage/format/segment_header.h"

namespace storage {

// One segment that counts, as far as its header tells.
struct SegmentEntry {
  std::uint64_t sequence = 0;
  std::string path;
  std::uint64_t file_bytes = 0;
  std::optional<SegmentHeader> header;
  std::string wrong;                   // why there is no header, if there is none
  std::optional<std::uint64_t> until;  // what is behind it in the file is void: another mends it

  // Whether it has to begin where the one before it ends.
  [[nodiscard]] bool continues() const { return header && !header->mends; }
};

// What is in a log's directory.
struct SegmentCatalog {
  std::vector<SegmentEntry> segments;  // in order; one without a header for each gap
  std::uint64_t next_sequence = 1;     // which no segment has
};

// Reads all headers. Leaves out what the segments that mend say is void. Files that are damaged or
// cannot be read are among the results; an error is what must not be taken for damage: another
// server's segment, another version's, a directory that cannot be read.
[[nodiscard]] Result<SegmentCatalog> read_catalog(FileSystem& files, const std::string& directory,
                                                  zab::ServerId server);

// The sequences of the segments in a directory, in order.
[[nodiscard]] Result<std::vector<std::uint64_t>> list_segments(FileSystem& files,
                                                               const std::string& directory);

}  // namespace storage
