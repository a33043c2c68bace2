#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "server/storage/files/file_system.h"
#include "server/storage/format/record.h"
#include "server/storage/format/segment_header.h"
#include "wire/bytes.h"

namespace storage {

// Sizes are in bytes.
struct LogOptions {
  // The size of a segment, after which the next one begins. A commit that is larger gets a segment
  // of its own.
  std::uint64_t segment_bytes = 64ull << 20;
  // How far a segment is filled with zeros ahead of its records. Within them a commit does not
  // change the file's length, so its sync writes no metadata.
  std::uint64_t fill_bytes = 1ull << 20;
  // Recovery returns all txns that the checkpoint does not cover, and about so many bytes of
  // payload before them.
  std::uint64_t history_bytes = 64ull << 20;
  // How many files of purged segments are kept for later segments. 0: none is kept, and none is
  // made ahead.
  std::size_t spares = 2;
  // The level of new segments, unless the log's last segment has a higher one: see Log::set_level.
  wire::Level level = {};
  // The name of this program, for messages and for the headers of new segments.
  std::string program = {};
};

// The segment that is being written:
//
//     | header | records ... | bytes that do not count ... |
//     0        4096          end                           length of the file
//
// No record of this segment's key is behind `end`: the key of a new segment is new, and recovery
// writes zeros there before it opens a segment again.
class Segment {
 public:
  // Makes a new segment, large enough for a commit of `commit_bytes`, and filled ahead. It is
  // durable under its name when this returns. `spare` is the path of a file to be written over;
  // empty: none.
  static Result<Segment> create(FileSystem& files, const std::string& directory,
                                const SegmentHeader& header, std::uint64_t commit_bytes,
                                const LogOptions& options, const std::string& spare);
  // An existing segment. Its records end at `end`, in a file of `filled` bytes.
  Segment(std::unique_ptr<File> file, std::uint64_t key, std::uint64_t sequence, std::uint64_t end,
          std::uint64_t filled, const LogOptions& options);

  [[nodiscard]] std::uint64_t sequence() const { return sequence_; }
  // Where the next record will be.
  [[nodiscard]] RecordLocation end() const { return {key_, end_}; }
  // Whether `bytes` more fit, and behind them the record that seals the segment.
  [[nodiscard]] bool fits(std::uint64_t bytes) const;
  [[nodiscard]] bool has_records() const { return end_ > header_bytes; }
  [[nodiscard]] bool is_half_full() const { return end_ >= limit_ / 2; }
  // Whether the zeros ahead are nearly used up, and the last commit was small enough to gain by
  // them.
  [[nodiscard]] bool needs_filling() const;

  // Writes the last records of a commit, and empties their buffer. The records were stamped for
  // `end()` and the locations behind it. `commit_bytes` is the size of the whole commit. Fills
  // ahead if the zeros were used up and the commit is small enough to gain by them. Durable only
  // after `sync`.
  [[nodiscard]] Result<void> append(wire::Bytes& records, std::uint64_t commit_bytes);
  // Writes early records of a large commit, and removes them from their buffer. Call it after each
  // record but the last. It writes up to a multiple of 512 KiB in the file, if the records go so
  // far, and lets the disk begin.
  [[nodiscard]] Result<void> append_pieces(wire::Bytes& records, std::uint64_t commit_bytes);
  // Fills ahead with zeros, as far as the segment's size allows. Durable only after `sync`.
  [[nodiscard]] Result<void> fill();
  [[nodiscard]] Result<void> sync();

 private:
  [[nodiscard]] Result<void> advance(std::uint64_t bytes, std::uint64_t commit_bytes);

  std::unique_ptr<File> file_;
  std::uint64_t key_;
  std::uint64_t sequence_;
  std::uint64_t end_;      // of the records
  std::uint64_t started_;  // the disk was asked to write the pieces of a commit up to here
  std::uint64_t filled_;   // the file's length
  std::uint64_t limit_;    // of the file's length
  std::uint64_t fill_bytes_;
  bool filling_pays_ = true;
};

// Writes zeros over [from, to).
[[nodiscard]] Result<void> write_zeros(File& file, std::uint64_t from, std::uint64_t to);

}  // namespace storage
