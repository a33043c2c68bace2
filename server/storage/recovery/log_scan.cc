#include "server/storage/recovery/log_scan.h"

#include <utility>
#include <variant>

namespace storage {
namespace {

class LogScanner {
 public:
  // `known_damage` is a commit of which an earlier scan applied a part. This scan ends before it.
  LogScanner(FileSystem& files, const SegmentCatalog& catalog, LogScan scan,
             std::optional<Damage> known_damage)
      : files_(files),
        catalog_(catalog),
        scan_(std::move(scan)),
        known_damage_(std::move(known_damage)) {}

  // True if the scan ended behind a complete commit. False if the replay applied a part of a commit
  // that is not valid: scan again, with `damage()` as the known damage.
  Result<bool> run();
  [[nodiscard]] Damage damage() const { return *scan_.damage; }
  [[nodiscard]] LogScan release() { return std::move(scan_); }

 private:
  [[nodiscard]] Result<void> scan_segment(std::size_t segment);
  [[nodiscard]] Result<void> scan_commits(SegmentReader& reader);
  [[nodiscard]] Result<void> check_end(SegmentReader& reader);
  [[nodiscard]] bool continues_previous(SegmentReader& reader);
  [[nodiscard]] Result<void> damage_unless_later_version(const wire::Error& error);
  void set_damage(std::size_t segment, std::uint64_t offset, std::string what);

  [[nodiscard]] const SegmentEntry& entry_of(const ScannedSegment& scanned) const {
    return catalog_.segments[scanned.segment];
  }

  FileSystem& files_;
  const SegmentCatalog& catalog_;
  LogScan scan_;
  std::optional<Damage> known_damage_;
  bool inside_commit_ = false;
};

void LogScanner::set_damage(std::size_t segment, std::uint64_t offset, std::string what) {
  scan_.damage = {segment, offset, std::move(what)};
}

Result<void> LogScanner::damage_unless_later_version(const wire::Error& error) {
  if (error.code == wire::ErrorCode::unimplemented) {
    return wire::Error{error.code, error.message + ". Nothing was changed"};
  }
  set_damage(scan_.last->segment, scan_.last->end, error.message);
  return {};
}

Result<bool> LogScanner::run() {
  const std::vector<SegmentEntry>& segments = catalog_.segments;
  for (std::size_t i = scan_.first; i < segments.size() && !scan_.damage; ++i) {
    if (auto done = scan_segment(i); !done) return done.error();
  }
  if (!scan_.damage && scan_.last && scan_.last->sealed) {
    const std::string& path = entry_of(*scan_.last).path;
    set_damage(scan_.last->segment, scan_.last->end,
               path + ": the segment is sealed, but the segment after it is missing");
  }
  return !inside_commit_;
}

Result<void> LogScanner::scan_segment(std::size_t segment) {
  const SegmentEntry& next = catalog_.segments[segment];
  if (!next.header) {
    set_damage(segment, 0, next.problem);
    return {};
  }
  auto reader = SegmentReader::open(files_, next.path);
  if (!reader) {
    set_damage(segment, 0, reader.error().message);
    return {};
  }
  const bool first = segment == scan_.first;
  scan_.before = std::exchange(
      scan_.last,
      ScannedSegment{segment, key_of(*next.header), header_bytes, header_bytes, 0, false, {}});
  if (first || next.header->mends) {
    scan_.replay.start_at(*next.header);
  } else {
    if (!continues_previous(*reader)) {
      scan_.last = std::exchange(scan_.before, std::nullopt);
      return {};
    }
    if (!scan_.before->sealed) scan_.replay.skip_seal();
    scan_.replay.begin_segment(next.sequence);
  }
  return scan_commits(*reader);
}

// Whether the last segment begins where the one before it ends. If not, that is damage.
bool LogScanner::continues_previous(SegmentReader& reader) {
  const ScannedSegment& before = *scan_.before;
  const SegmentEntry& next = entry_of(*scan_.last);
  const Replay& replay = scan_.replay;
  const auto no = [&](const std::string& what) {
    set_damage(before.segment, before.end,
               entry_of(before).path + ": offset " + std::to_string(before.end) + ": " + what);
    return false;
  };
  const std::uint64_t missing_seals = before.sealed ? 0 : 1;
  if (next.header->first_commit != replay.next_commit() + missing_seals ||
      next.header->start != replay.tip()) {
    return no("the valid records end here (" + before.end_reason + "), but " +
              segment_name(next.sequence) + " continues with commit " +
              std::to_string(next.header->first_commit) + " after txn " +
              wire::to_string(next.header->start.last.zxid));
  }
  if (before.sealed) return true;
  // The next segment exists before this one is sealed, but gets records only after that. A segment
  // whose records are all void is like one without records.
  if (next.valid_until == header_bytes) return true;
  const bool last = scan_.last->segment + 1 == catalog_.segments.size();
  const auto remainder = reader.scan_remainder({scan_.last->key, header_bytes}, 0);
  if (last && remainder && !remainder->proof_at) return true;
  return no("there is no seal here (" + before.end_reason + "), but the log continues in " +
            segment_name(next.sequence));
}

Result<void> LogScanner::scan_commits(SegmentReader& reader) {
  ScannedSegment& scanned = *scan_.last;
  Replay& replay = scan_.replay;
  const std::optional<std::uint64_t> until = entry_of(scanned).valid_until;
  while (!replay.sealed() && (!until || scanned.end < *until)) {
    if (known_damage_ && known_damage_->segment == scanned.segment &&
        known_damage_->offset == scanned.end) {
      scan_.damage = known_damage_;
      return {};
    }
    auto found = reader.commit_at({scanned.key, scanned.end}, replay.next_commit());
    if (!found) return damage_unless_later_version(found.error());
    if (const auto* none = std::get_if<NoCommit>(&*found)) {
      scanned.end_reason = none->why + " at offset " + std::to_string(none->bad_at);
      break;
    }
    const Commit& commit = std::get<Commit>(*found);
    if (auto done = replay.apply(commit); !done) {
      inside_commit_ = true;
      set_damage(scanned.segment, commit.begin, reader.path() + ": " + done.error().message);
      return {};
    }
    scanned.last_commit_begin = commit.begin;
    scanned.end = commit.end;
  }
  scanned.sealed = replay.sealed();
  return check_end(reader);
}

// Tells a crash from damage, by what is behind the last complete commit.
Result<void> LogScanner::check_end(SegmentReader& reader) {
  ScannedSegment& scanned = *scan_.last;
  const Replay& replay = scan_.replay;
  const auto broken = [&](std::uint64_t offset, const std::string& what) -> Result<void> {
    set_damage(scanned.segment, scanned.end,
               reader.path() + ": offset " + std::to_string(offset) + ": " + what);
    return {};
  };
  if (const auto until = entry_of(scanned).valid_until) {
    if (scanned.end == *until) return {};
    return broken(scanned.end, "the valid records end here (" + scanned.end_reason +
                                   "), but were valid up to offset " + std::to_string(*until) +
                                   " when the log was mended");
  }
  const std::uint64_t unfinished = scanned.sealed ? 0 : replay.next_commit();
  const auto remainder = reader.scan_remainder({scanned.key, scanned.end}, unfinished);
  if (!remainder) return damage_unless_later_version(remainder.error());
  if (!scanned.sealed) scanned.unfinished_end = remainder->unfinished_end;
  if (remainder->proof_at && scanned.sealed) {
    return broken(*remainder->proof_at, "there is a record behind the segment's seal");
  }
  if (remainder->proof_at) {
    return broken(scanned.end, "commit " + std::to_string(replay.next_commit()) +
                                   " is not valid (" + scanned.end_reason + "), but offset " +
                                   std::to_string(*remainder->proof_at) +
                                   " has an intact record of another commit");
  }
  return {};
}

}  // namespace

Result<LogScan> scan_log(FileSystem& files, const SegmentCatalog& catalog, std::size_t first,
                         zab::Zxid applied, std::uint64_t history_bytes) {
  std::optional<Damage> known_damage;
  for (;;) {
    LogScanner scanner(files, catalog, {Replay(applied, history_bytes), first, {}, {}, {}},
                       std::move(known_damage));
    const auto done = scanner.run();
    if (!done) return done.error();
    if (*done) return scanner.release();
    known_damage = scanner.damage();
  }
}

}  // namespace storage
