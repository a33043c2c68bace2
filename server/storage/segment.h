#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "server/storage/file_system.h"
#include "server/storage/record.h"
#include "server/storage/segment_header.h"

namespace storage {

// In octets.
struct Options {
  // How long a segment grows before the next one begins. A commit that is larger gets one of its
  // own.
  std::uint64_t segment_bytes = 64ull << 20;
  // How far a segment is filled with zeros ahead of its records. Within that a commit changes no
  // length, and its sync writes no metadata.
  std::uint64_t fill_bytes = 1ull << 20;
  // Of payload: how much that the checkpoint covers is given back by recovery, besides all that it
  // does not cover.
  std::uint64_t history_bytes = 64ull << 20;
};

// The segment that is being written: [header][records][zeros up to filled()]. Never contains
// anything but zeros after its records: whoever opens one again sees to that first.
class Segment {
 public:
  // A new segment, with room for `commit_bytes` besides the usual, filled ahead, and durable under
  // its name.
  static Result<Segment> create(FileSystem& files, const std::string& directory,
                                const SegmentHeader& header, std::uint64_t commit_bytes,
                                const Options& options);
  // An existing one whose records end at `end`, in a file of `filled` octets.
  Segment(std::unique_ptr<File> file, std::uint64_t key, std::uint64_t sequence, std::uint64_t end,
          std::uint64_t filled, const Options& options);

  [[nodiscard]] std::uint64_t sequence() const { return sequence_; }
  // Where the next record goes.
  [[nodiscard]] Place end() const { return {key_, end_}; }
  // Whether so much can be appended, and the record that seals the segment behind it.
  [[nodiscard]] bool has_room(std::uint64_t octets) const;
  [[nodiscard]] bool has_records() const { return end_ > header_bytes; }
  // Whether little is left of the part that is filled, and the last commit was one that gains by
  // it.
  [[nodiscard]] bool wants_filling() const;

  // Writes octets that were stamped for `end()`, and fills ahead if they need more than was filled
  // and are not so many that it would not pay. Durable only after `sync`.
  [[nodiscard]] Result<void> append(std::string_view octets);
  // Fills ahead, as far as the segment's length allows. Durable only after `sync`.
  [[nodiscard]] Result<void> fill();
  [[nodiscard]] Result<void> sync() { return file_->sync(); }

 private:
  std::unique_ptr<File> file_;
  std::uint64_t key_;
  std::uint64_t sequence_;
  std::uint64_t end_;     // of the records
  std::uint64_t filled_;  // the file's length
  std::uint64_t limit_;   // of the file's length
  std::uint64_t fill_bytes_;
  bool filling_pays_ = true;
};

// Writes zeros over [from, to).
[[nodiscard]] Result<void> write_zeros(File& file, std::uint64_t from, std::uint64_t to);

}  // namespace storage
