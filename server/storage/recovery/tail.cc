#include "server/storage/recovery/tail.h"

#include <algorithm>

#include "server/storage/segments/segment.h"

namespace storage {
namespace {

constexpr std::uint64_t copy_bytes = 256ull << 10;

// Also over a seal that is there: it may be in the page cache only.
Result<void> seal(FileSystem& files, const SegmentEntry& segment, const ScannedSegment& walked,
                  const Replay& replay) {
  auto file = files.open(segment.path);
  if (!file) return file.error();
  const std::uint64_t begin = walked.sealed ? walked.last_begin : walked.end;
  wire::Bytes record;
  append_record(record, RecordType::sealed, replay.tip().last, {},
                {replay.next_commit() - 1, true, {walked.key, begin}});
  if (auto done = (*file)->write(begin, record); !done) return done;
  if (auto done = write_zeros(**file, begin + record.size(), segment.file_bytes); !done) {
    return done;
  }
  return (*file)->sync();
}

}  // namespace

Result<Tail> mend_tail(FileSystem& files, const SegmentCatalog& catalog, const LogScan& whole) {
  const ScannedSegment& last = *whole.last;
  const SegmentEntry& segment = catalog.segments[last.segment];
  auto reader = SegmentReader::open(files, segment.path);
  if (!reader) return reader.error();
  File& file = reader->file();
  Tail tail;
  if (!last.clean()) {
    tail.dropped = "; dropped a commit that a crash had cut short: " +
                   std::to_string(last.unfinished_end - last.end) + " bytes at offset " +
                   std::to_string(last.end) + " of " + segment_name(segment.sequence) + " (" +
                   last.why + ')';
  }
  if (auto done = write_zeros(file, last.end, segment.file_bytes); !done) return done.error();
  for (std::uint64_t at = last.last_begin; at < last.end;) {
    const auto bytes = reader->at(at, std::min(copy_bytes, last.end - at));
    if (!bytes) return bytes.error();
    if (bytes->empty())
      return wire::Error{wire::ErrorCode::system_error, segment.path + ": became shorter"};
    if (auto done = file.write(at, *bytes); !done) return done.error();
    at += bytes->size();
  }
  if (auto done = file.sync(); !done) return done.error();
  if (whole.before && !last.has_commits() && segment.continues()) {
    const SegmentEntry& before = catalog.segments[whole.before->segment];
    if (auto done = seal(files, before, *whole.before, whole.replay); !done) return done.error();
  }
  tail.file = reader->release();
  return tail;
}

}  // namespace storage
