#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "server/storage/files/file_system.h"
#include "server/storage/format/segment_header.h"

namespace storage {

// A file beside the log that says how far the log has reached: what tells a log whose end is gone
// from one that ends there. It is behind the log, never before it.
class Extent {
 public:
  // What the file in `directory` says; nothing if there is none, or it says nothing.
  [[nodiscard]] static Result<std::optional<SegmentHeader>> read(FileSystem& files,
                                                                 const std::string& directory,
                                                                 zab::ServerId server);
  // The file in `directory`, made, durably, if there is none.
  [[nodiscard]] static Result<Extent> open(FileSystem& files, const std::string& directory);

  // `reached`: where the log stands, and what its next commit will be: as the header of a segment
  // would say it. Survives the process, and the machine after `sync`.
  [[nodiscard]] Result<void> note(const SegmentHeader& reached);
  [[nodiscard]] Result<void> sync() { return file_->sync(); }

 private:
  Extent(std::unique_ptr<File> file, std::uint64_t place) : file_(std::move(file)), place_(place) {}

  std::unique_ptr<File> file_;
  std::uint64_t place_;  // the next to be written
};

}  // namespace storage
