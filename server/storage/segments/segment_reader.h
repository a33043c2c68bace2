#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "server/storage/files/file_system.h"
#include "server/storage/format/record.h"
#include "server/storage/format/segment_header.h"

namespace storage {

struct Record {
  RecordHeader header;
  std::uint64_t offset = 0;
  zab::ContentHash content;  // of the payload
  std::shared_ptr<const wire::Bytes> payload;
};

[[nodiscard]] constexpr std::uint64_t end_of(const Record& record) {
  return record.offset + record_bytes(record.header.payload_bytes);
}

// Records that were written and synced as one.
struct Commit {
  std::uint64_t begin = 0;  // bytes from the start of the file
  std::uint64_t end = 0;
  std::vector<Record> records;  // at least one
};

// Why there is no intact record at some place.
struct NoRecord {
  std::string why;
};

// Why there is no complete commit at some place.
struct NoCommit {
  std::uint64_t begin = 0;  // where it would start
  std::uint64_t bad = 0;    // where the record is that does not hold
  std::string why;
};

// What is in a segment's file from some place to its end. Bytes that are no record of the segment
// may be anything: the file may have been another segment's before.
struct Remains {
  // Behind the last byte that is certainly of the commit asked about; 0 if none is. That is up to
  // its records, and in the rest of the page, which the commit before it filled with zeros.
  std::uint64_t unfinished_end = 0;
  std::optional<std::uint64_t> proof_at;  // a record of a commit other than the one asked about
};

// Reads one segment's file in pieces, so that its length does not matter. Trusts nothing it reads.
class SegmentReader {
 public:
  // `path` is for messages.
  static Result<SegmentReader> open(FileSystem& files, const std::string& path);

  [[nodiscard]] std::uint64_t file_bytes() const { return file_bytes_; }
  [[nodiscard]] const std::string& path() const { return path_; }

  // The record at `place`. Errors as for `commit_at`.
  [[nodiscard]] Result<std::variant<Record, NoRecord>> record_at(RecordLocation place);
  // The commit with this number that begins at `begin`. An error only if the file cannot be read,
  // or, with the code `unimplemented`, if a later version of this program wrote it.
  [[nodiscard]] Result<std::variant<Commit, NoCommit>> commit_at(RecordLocation begin,
                                                                 std::uint64_t number);
  // Number 0 is no commit's: every record is proof then.
  [[nodiscard]] Result<Remains> look_behind(RecordLocation begin, std::uint64_t unfinished_commit);

  // What the file begins with. Errors as for `decode_header`, with the file's name.
  [[nodiscard]] Result<SegmentHeader> header();
  // Bytes as they are in the file: fewer than asked for at its end. Valid until the next read.
  [[nodiscard]] Result<std::string_view> at(std::uint64_t offset, std::uint64_t count);

  // The file, to write to: not to be read again but where what is written is what was there.
  [[nodiscard]] File& file() { return *file_; }
  [[nodiscard]] std::unique_ptr<File> release() { return std::move(file_); }

 private:
  SegmentReader(std::unique_ptr<File> file, std::string path, std::uint64_t file_bytes);

  std::unique_ptr<File> file_;
  std::string path_;
  std::uint64_t file_bytes_;
  wire::Bytes window_;              // what was read last
  std::uint64_t window_begin_ = 0;  // where that is in the file
};

}  // namespace storage
