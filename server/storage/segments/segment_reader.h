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

// Records that were made durable as one.
struct Commit {
  std::uint64_t begin = 0;  // bytes from the start of the file
  std::uint64_t end = 0;
  std::vector<Record> records;  // at least one
};

// There is no intact record at a location.
struct NoRecord {
  std::string why;
};

// There is no complete commit at a location.
struct NoCommit {
  std::uint64_t begin = 0;   // where it would start
  std::uint64_t bad_at = 0;  // the offset of the record that is not valid
  std::string why;
};

// The content of a segment's file from a location to its end. Bytes that are no record of this
// segment may be anything: they may be of an earlier segment in the same file.
struct Remainder {
  // The end of the bytes that an incomplete commit certainly wrote; 0 if there are none. They are
  // its intact records, and all bytes in the rest of the page that are not zero: the commit before
  // it filled that page with zeros.
  std::uint64_t unfinished_end = 0;
  std::optional<std::uint64_t> proof_at;  // the offset of an intact record of another commit
};

// Reads the file of one segment, a window at a time, so its length does not matter. Checks
// everything that it reads.
class SegmentReader {
 public:
  // The messages of errors begin with `path`.
  static Result<SegmentReader> open(FileSystem& files, const std::string& path);

  [[nodiscard]] std::uint64_t file_bytes() const { return file_bytes_; }
  [[nodiscard]] const std::string& path() const { return path_; }

  // The record at `location`. Errors as for `commit_at`.
  [[nodiscard]] Result<std::variant<Record, NoRecord>> record_at(RecordLocation location);
  // The commit with this number that begins at `begin`. An error if the file cannot be read; and,
  // with the code `unimplemented`, if a later version of this program wrote it.
  [[nodiscard]] Result<std::variant<Commit, NoCommit>> commit_at(RecordLocation begin,
                                                                 std::uint64_t number);
  // The content of the file from `begin` on. `unfinished_commit` is the number of the commit that a
  // crash may have interrupted there: a record of any other commit is proof of damage. 0: of every
  // one.
  [[nodiscard]] Result<Remainder> scan_remainder(RecordLocation begin,
                                                 std::uint64_t unfinished_commit);

  // The segment's header. Errors as for `decode_header`, with the file's name.
  [[nodiscard]] Result<SegmentHeader> header();
  // The bytes of the file from `offset` on: fewer than `count` at its end. Valid until the next
  // call.
  [[nodiscard]] Result<std::string_view> at(std::uint64_t offset, std::uint64_t count);

  // The file, to write to. Do not read what was changed: the window may have the old bytes.
  [[nodiscard]] File& file() { return *file_; }
  [[nodiscard]] std::unique_ptr<File> release() { return std::move(file_); }

 private:
  SegmentReader(std::unique_ptr<File> file, std::string path, std::uint64_t file_bytes);

  std::unique_ptr<File> file_;
  std::string path_;
  std::uint64_t file_bytes_;
  wire::Bytes window_;              // the bytes that were read last
  std::uint64_t window_begin_ = 0;  // their offset in the file
};

}  // namespace storage
