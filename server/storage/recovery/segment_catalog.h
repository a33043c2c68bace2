#pragma once

#include <optional>
#include <string>
#include <vector>

#include "server/storage/files/file_system.h"
#include "server/storage/format/segment_header.h"

namespace storage {

// One segment that counts, with what its header says. A gap is an entry without a header.
struct SegmentEntry {
  std::uint64_t sequence = 0;
  std::string path;
  std::uint64_t file_bytes = 0;
  std::optional<SegmentHeader> header;
  std::string problem;  // why there is no header, for people
  // Set if a later segment mends the log: the records from this offset on are void.
  std::optional<std::uint64_t> valid_until;

  // Whether it has to begin where the segment before it ends.
  [[nodiscard]] bool continues_previous() const { return header && !header->mends; }
};

// The segments in a log's directory.
struct SegmentCatalog {
  std::vector<SegmentEntry> segments;  // in order, without gaps
  std::uint64_t next_sequence = 1;     // greater than that of any segment in the directory
};

// Reads all headers. Leaves out the segments that are void. Files that are damaged, missing or not
// readable are entries of the result. Returns an error only for what is not damage: a
// segment of another server or of another version, or a directory that cannot be read.
[[nodiscard]] Result<SegmentCatalog> read_catalog(FileSystem& files, const std::string& directory,
                                                  zab::ServerId server);

// The sequences of the segments in a directory, in order.
[[nodiscard]] Result<std::vector<std::uint64_t>> list_segments(FileSystem& files,
                                                               const std::string& directory);

}  // namespace storage
