#include "server/storage/recovery/log_tail.h"

#include <algorithm>

#include "server/storage/segments/segment.h"

namespace storage {
namespace {

constexpr std::uint64_t copy_bytes = 256ull << 10;

// Writes the seal also if it is there: it may be only in the page cache.
Result<void> seal(FileSystem& files, const SegmentEntry& segment, const ScannedSegment& scanned,
                  const Replay& replay) {
  auto file = files.open(segment.path);
  if (!file) return file.error();
  const std::uint64_t begin = scanned.sealed ? scanned.last_commit_begin : scanned.end;
  wire::Bytes record;
  append_record(record, RecordType::sealed, replay.tip().last, {},
                {replay.next_commit() - 1, true, {scanned.key, begin}});
  if (auto done = (*file)->write(begin, record); !done) return done;
  if (auto done = write_zeros(**file, begin + record.size(), segment.file_bytes); !done) {
    return done;
  }
  return (*file)->sync();
}

}  // namespace

Result<LogTail> rewrite_tail(FileSystem& files, const SegmentCatalog& catalog,
                             const LogScan& complete) {
  const ScannedSegment& last = *complete.last;
  const SegmentEntry& segment = catalog.segments[last.segment];
  auto reader = SegmentReader::open(files, segment.path);
  if (!reader) return reader.error();
  File& file = reader->file();
  LogTail tail;
  if (last.has_unfinished_commit()) {
    tail.dropped =
        "; dropped an incomplete commit, interrupted by a crash and never acknowledged: " +
        std::to_string(last.unfinished_end - last.end) + " bytes at offset " +
        std::to_string(last.end) + " of " + segment_name(segment.sequence) + " (" +
        last.end_reason + ')';
  }
  if (auto done = write_zeros(file, last.end, segment.file_bytes); !done) return done.error();
  for (std::uint64_t at = last.last_commit_begin; at < last.end;) {
    const auto bytes = reader->at(at, std::min(copy_bytes, last.end - at));
    if (!bytes) return bytes.error();
    if (bytes->empty()) {
      return wire::Error{wire::ErrorCode::system_error,
                         segment.path + ": the file became shorter while it was read"};
    }
    if (auto done = file.write(at, *bytes); !done) return done.error();
    at += bytes->size();
  }
  if (auto done = file.sync(); !done) return done.error();
  if (complete.before && !last.has_commits() && segment.continues_previous()) {
    const SegmentEntry& before = catalog.segments[complete.before->segment];
    if (auto done = seal(files, before, *complete.before, complete.replay); !done) {
      return done.error();
    }
  }
  tail.file = reader->release();
  return tail;
}

}  // namespace storage
