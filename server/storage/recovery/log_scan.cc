#include "server/storage/recovery/log_scan.h"

#include <utility>
#include <variant>

namespace storage {
namespace {

class LogScanner {
 public:
  // `known` is damage inside a commit: such a commit is not to be begun.
  LogScanner(FileSystem& files, const SegmentCatalog& catalog, LogScan attempt,
             std::optional<Damage> known)
      : files_(files), catalog_(catalog), attempt_(std::move(attempt)), known_(std::move(known)) {}

  // Whether it reached the end or damage behind a whole commit; otherwise all has to be done again,
  // and `found` says where to stop.
  Result<bool> run();
  [[nodiscard]] Damage found() const { return *attempt_.damage; }
  [[nodiscard]] LogScan take() { return std::move(attempt_); }

 private:
  [[nodiscard]] Result<void> enter(std::size_t segment);
  [[nodiscard]] Result<void> walk(SegmentReader& reader);
  [[nodiscard]] Result<void> check_end(SegmentReader& reader);
  [[nodiscard]] bool follows(SegmentReader& reader);
  [[nodiscard]] Result<void> unless_later_version(const wire::Error& error);
  void damaged(std::size_t segment, std::uint64_t offset, std::string what);

  [[nodiscard]] const SegmentEntry& seen(const ScannedSegment& walked) const {
    return catalog_.segments[walked.segment];
  }

  FileSystem& files_;
  const SegmentCatalog& catalog_;
  LogScan attempt_;
  std::optional<Damage> known_;
  bool inside_commit_ = false;
};

void LogScanner::damaged(std::size_t segment, std::uint64_t offset, std::string what) {
  attempt_.damage = {segment, offset, std::move(what)};
}

Result<void> LogScanner::unless_later_version(const wire::Error& error) {
  if (error.code == wire::ErrorCode::unimplemented) return error;
  damaged(attempt_.last->segment, attempt_.last->end, error.message);
  return {};
}

Result<bool> LogScanner::run() {
  const std::vector<SegmentEntry>& segments = catalog_.segments;
  for (std::size_t i = attempt_.first; i < segments.size() && !attempt_.damage; ++i) {
    if (auto done = enter(i); !done) return done.error();
  }
  if (!attempt_.damage && attempt_.last && attempt_.last->sealed) {
    const std::string& path = seen(*attempt_.last).path;
    damaged(attempt_.last->segment, attempt_.last->end,
            path + ": is sealed, but the segment after it is missing");
  }
  return !inside_commit_;
}

Result<void> LogScanner::enter(std::size_t segment) {
  const SegmentEntry& next = catalog_.segments[segment];
  if (!next.header) {
    damaged(segment, 0, next.wrong);
    return {};
  }
  auto reader = SegmentReader::open(files_, next.path);
  if (!reader) {
    damaged(segment, 0, reader.error().message);
    return {};
  }
  const bool first = segment == attempt_.first;
  attempt_.before = std::exchange(
      attempt_.last,
      ScannedSegment{segment, key_of(*next.header), header_bytes, header_bytes, 0, false, {}});
  if (first || next.header->mends) {
    attempt_.replay.jump(*next.header);
  } else {
    if (!follows(*reader)) {
      attempt_.last = std::exchange(attempt_.before, std::nullopt);
      return {};
    }
    if (!attempt_.before->sealed) attempt_.replay.skip_seal();
    attempt_.replay.begin_segment(next.sequence);
  }
  return walk(*reader);
}

// Whether the segment that has been entered goes on where the one before it ends.
bool LogScanner::follows(SegmentReader& reader) {
  const ScannedSegment& before = *attempt_.before;
  const SegmentEntry& next = seen(*attempt_.last);
  const Replay& replay = attempt_.replay;
  const auto broken = [&](const std::string& what) {
    damaged(before.segment, before.end,
            seen(before).path + ": offset " + std::to_string(before.end) + ": " + what);
    return false;
  };
  const std::uint64_t skipped = before.sealed ? 0 : 1;
  if (next.header->first_commit != replay.next_commit() + skipped ||
      next.header->start != replay.tip()) {
    return broken("the records end (" + before.why + "), but " + segment_name(next.sequence) +
                  " goes on with commit " + std::to_string(next.header->first_commit) +
                  " after txn " + wire::to_string(next.header->start.last.zxid));
  }
  if (before.sealed) return true;
  // A segment is there before the one before it is sealed, but gets no records until then; or what
  // it had is void.
  if (next.until == header_bytes) return true;
  const bool last = attempt_.last->segment + 1 == catalog_.segments.size();
  const auto remains = reader.look_behind({attempt_.last->key, header_bytes}, 0);
  if (last && remains && !remains->proof_at) return true;
  return broken("no seal (" + before.why + "), but the log has gone on in " +
                segment_name(next.sequence));
}

Result<void> LogScanner::walk(SegmentReader& reader) {
  ScannedSegment& walked = *attempt_.last;
  Replay& replay = attempt_.replay;
  const std::optional<std::uint64_t> until = seen(walked).until;
  while (!replay.sealed() && (!until || walked.end < *until)) {
    if (known_ && known_->segment == walked.segment && known_->offset == walked.end) {
      attempt_.damage = known_;
      return {};
    }
    auto found = reader.commit_at({walked.key, walked.end}, replay.next_commit());
    if (!found) return unless_later_version(found.error());
    if (const auto* none = std::get_if<NoCommit>(&*found)) {
      walked.why = none->why + " at offset " + std::to_string(none->bad);
      break;
    }
    const Commit& commit = std::get<Commit>(*found);
    if (auto done = replay.apply(commit); !done) {
      inside_commit_ = true;
      damaged(walked.segment, commit.begin, reader.path() + ": " + done.error().message);
      return {};
    }
    walked.last_begin = commit.begin;
    walked.end = commit.end;
  }
  walked.sealed = replay.sealed();
  return check_end(reader);
}

Result<void> LogScanner::check_end(SegmentReader& reader) {
  ScannedSegment& walked = *attempt_.last;
  const Replay& replay = attempt_.replay;
  const auto broken = [&](std::uint64_t offset, const std::string& what) -> Result<void> {
    damaged(walked.segment, walked.end,
            reader.path() + ": offset " + std::to_string(offset) + ": " + what);
    return {};
  };
  if (const auto until = seen(walked).until) {
    if (walked.end == *until) return {};
    return broken(walked.end, "the records end (" + walked.why + "), but held up to offset " +
                                  std::to_string(*until) + " before");
  }
  const std::uint64_t unfinished = walked.sealed ? 0 : replay.next_commit();
  const auto remains = reader.look_behind({walked.key, walked.end}, unfinished);
  if (!remains) return unless_later_version(remains.error());
  if (!walked.sealed) walked.unfinished_end = remains->unfinished_end;
  if (remains->proof_at && walked.sealed) {
    return broken(*remains->proof_at, "a record stands behind the seal");
  }
  if (remains->proof_at) {
    return broken(walked.end, "commit " + std::to_string(replay.next_commit()) + ": " + walked.why +
                                  ", but there is an intact record of another commit at offset " +
                                  std::to_string(*remains->proof_at));
  }
  return {};
}

}  // namespace

Result<LogScan> scan_log(FileSystem& files, const SegmentCatalog& catalog, std::size_t first,
                         zab::Zxid applied, std::uint64_t history_bytes) {
  std::optional<Damage> known;
  for (;;) {
    LogScanner attempting(files, catalog, {Replay(applied, history_bytes), first, {}, {}, {}},
                          std::move(known));
    const auto done = attempting.run();
    if (!done) return done.error();
    if (*done) return attempting.take();
    known = attempting.found();
  }
}

}  // namespace storage
