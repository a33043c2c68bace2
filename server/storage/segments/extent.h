#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "server/storage/files/file_system.h"
#include "server/storage/format/segment_header.h"

namespace storage {

// The extent: a file beside the log that says how far the log has reached, at least. Without it, a
// log that lost its end looks like a log that ends there. The extent may be behind the log, and is
// never ahead of it. FORMAT.md has the layout. At every level it has the form of level 0.
class Extent {
 public:
  // The content of the file in `directory`; nothing if there is no file, or nothing valid of this
  // server in it. It has the form of a segment's header: the state of the log, and the number of
  // its next commit. An error with the code `unimplemented` if it is of another version.
  [[nodiscard]] static Result<std::optional<SegmentHeader>> read(FileSystem& files,
                                                                 const std::string& directory,
                                                                 zab::ServerId server);
  // Opens the file in `directory`. Makes it, durably, if there is none.
  [[nodiscard]] static Result<Extent> open(FileSystem& files, const std::string& directory);

  // Writes how far the log has reached, in the form of a segment's header that would begin there.
  // Survives the process; after `sync` it survives a loss of power too.
  [[nodiscard]] Result<void> write(const SegmentHeader& reached);
  [[nodiscard]] Result<void> sync() { return file_->sync(); }

 private:
  Extent(std::unique_ptr<File> file, std::uint64_t slot) : file_(std::move(file)), slot_(slot) {}

  std::unique_ptr<File> file_;
  std::uint64_t slot_;  // the next to be written
};

}  // namespace storage
