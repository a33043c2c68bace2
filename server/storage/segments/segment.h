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

// In bytes.
struct LogOptions {
  // How long a segment grows before the next one begins. A commit that is larger gets one of its
  // own.
  std::uint64_t segment_bytes = 64ull << 20;
  // How far a segment is filled with zeros ahead of its records. Within that a commit changes no
  // length, and its sync writes no metadata.
  std::uint64_t fill_bytes = 1ull << 20;
  // Of payload: how much that the checkpoint covers is given back by recovery, besides all that it
  // does not cover.
  std::uint64_t history_bytes = 64ull << 20;
  // A number: how many files of purged segments are kept for segments to come. 0: none, and none is
  // made ahead either.
  std::size_t spares = 2;
};

// The segment that is being written: [header][records][what does not count, up to filled()]. After
// its records there never stands one of its own key: a new one's key is new, and whoever opens one
// again puts zeros there first.
class Segment {
 public:
  // A new segment, with room for `commit_bytes` besides the usual, filled ahead, and durable under
  // its name. `spare` is a file to be written over, empty for a new one.
  static Result<Segment> create(FileSystem& files, const std::string& directory,
                                const SegmentHeader& header, std::uint64_t commit_bytes,
                                const LogOptions& options, const std::string& spare);
  // An existing one whose records end at `end`, in a file of `filled` bytes.
  Segment(std::unique_ptr<File> file, std::uint64_t key, std::uint64_t sequence, std::uint64_t end,
          std::uint64_t filled, const LogOptions& options);

  [[nodiscard]] std::uint64_t sequence() const { return sequence_; }
  // Where the next record goes.
  [[nodiscard]] RecordLocation end() const { return {key_, end_}; }
  // Whether so much can be appended, and the record that seals the segment behind it.
  [[nodiscard]] bool has_room(std::uint64_t bytes) const;
  [[nodiscard]] bool has_records() const { return end_ > header_bytes; }
  // Whether it is time to think of the next one.
  [[nodiscard]] bool is_half_full() const { return end_ >= limit_ / 2; }
  // Whether little is left of the part that is filled, and the last commit was one that gains by
  // it.
  [[nodiscard]] bool wants_filling() const;

  // Writes the records of a commit of `commit_bytes`, which were stamped for `end()` and what comes
  // after it, and empties their buffer. Fills ahead if they need more than was filled and the
  // commit is not so large that it would not pay. Durable only after `sync`.
  [[nodiscard]] Result<void> append(wire::Bytes& records, std::uint64_t commit_bytes);
  // To be asked after each record of a commit of `commit_bytes` that is not its last. Writes what
  // there is of a large one up to where a piece ends, if it goes so far, and lets the disk begin
  // with it; takes it out of the buffer.
  [[nodiscard]] Result<void> append_pieces(wire::Bytes& records, std::uint64_t commit_bytes);
  // Fills ahead, as far as the segment's length allows. Durable only after `sync`.
  [[nodiscard]] Result<void> fill();
  [[nodiscard]] Result<void> sync();

 private:
  [[nodiscard]] Result<void> appended(std::uint64_t bytes, std::uint64_t commit_bytes);

  std::unique_ptr<File> file_;
  std::uint64_t key_;
  std::uint64_t sequence_;
  std::uint64_t end_;      // of the records
  std::uint64_t started_;  // up to there the disk has been given the pieces of a commit
  std::uint64_t filled_;   // the file's length
  std::uint64_t limit_;    // of the file's length
  std::uint64_t fill_bytes_;
  bool filling_pays_ = true;
};

// Writes zeros over [from, to).
[[nodiscard]] Result<void> write_zeros(File& file, std::uint64_t from, std::uint64_t to);

}  // namespace storage
