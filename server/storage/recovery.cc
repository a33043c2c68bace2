#include "server/storage/recovery.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "server/storage/replay.h"
#include "server/storage/segment_reader.h"

namespace storage {
namespace {

constexpr std::uint64_t copy_bytes = 256ull << 10;

// One segment's file, once its commits have been replayed.
struct Walked {
  SegmentReader reader;
  SegmentHeader header;
  std::uint64_t last_begin = header_bytes;  // of the last complete commit
  std::uint64_t end = header_bytes;         // of the records
  std::uint64_t nonzero_end = 0;            // of what an incomplete commit left behind them
  bool sealed = false;
  std::string why;  // the commits end there

  [[nodiscard]] bool has_commits() const { return end > header_bytes; }
  [[nodiscard]] bool clean() const { return nonzero_end <= end; }
  [[nodiscard]] Place place(std::uint64_t offset) const { return {key_of(header), offset}; }
};

class Recovery {
 public:
  Recovery(FileSystem& files, const std::string& directory, const Identity& identity,
           const Options& options)
      : files_(files), directory_(directory), identity_(identity), options_(options) {}

  Result<Recovered> run();

 private:
  [[nodiscard]] Result<std::vector<std::uint64_t>> sequences();
  [[nodiscard]] Result<Recovered> begin();
  [[nodiscard]] Result<Walked> walk(std::uint64_t sequence, const Walked* before);
  [[nodiscard]] Result<void> check_header(const Walked& walked, std::uint64_t sequence,
                                          const Walked* before) const;
  [[nodiscard]] Result<void> replay(Walked& walked);
  [[nodiscard]] Result<void> repair(Walked& last, Walked* before);
  [[nodiscard]] Result<void> seal(Walked& walked);

  [[nodiscard]] wire::Error damaged(const std::string& path, const std::string& what) const;

  FileSystem& files_;
  const std::string& directory_;
  const Identity& identity_;
  const Options& options_;
  Replay replay_;
  std::string dropped_;  // a sentence for the report
};

wire::Error Recovery::damaged(const std::string& path, const std::string& what) const {
  return {wire::ErrorCode::system_error,
          path + ": " + what +
              ". The log is damaged, not merely cut short by a crash; nothing was changed. If a "
              "quorum of the other servers is healthy, move " +
              directory_ +
              " away and start this server with an empty one: it will take over the leader's "
              "history. If not, keep every file and restore this one from a copy"};
}

Result<std::vector<std::uint64_t>> Recovery::sequences() {
  const auto names = files_.list(directory_);
  if (!names) return names.error();
  std::vector<std::uint64_t> found;
  for (const std::string& name : *names) {
    if (const auto sequence = sequence_of(name)) found.push_back(*sequence);
  }
  std::ranges::sort(found);
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (found[i] != i + 1) {
      return damaged(directory_ + '/' + segment_name(i + 1),
                     "is missing, but " + segment_name(found.back()) + " is there");
    }
  }
  return found;
}

Result<Recovered> Recovery::run() {
  const auto found = sequences();
  if (!found) return found.error();
  if (found->empty()) return begin();

  std::optional<Walked> before;
  std::optional<Walked> last;
  for (const std::uint64_t sequence : *found) {
    before = std::exchange(last, std::nullopt);
    auto walked = walk(sequence, before ? &*before : nullptr);
    if (!walked) return walked.error();
    last.emplace(std::move(*walked));
    if (!before || before->sealed) continue;
    // A segment is there before the one before it is sealed, but gets no records until then.
    if (last->has_commits() || !last->clean() || sequence != found->back()) {
      return damaged(before->reader.path(),
                     "offset " + std::to_string(before->end) + ": no seal (" + before->why +
                         "), but the log has gone on in " + segment_name(sequence));
    }
  }
  if (last->sealed) {
    return damaged(directory_ + '/' + segment_name(last->header.sequence + 1),
                   "is missing, but " + segment_name(last->header.sequence) + " says it exists");
  }
  if (auto done = repair(*last, before ? &*before : nullptr); !done) return done.error();

  const Tip tip = replay_.tip();
  std::string report = directory_ + ": segments " + std::to_string(found->size()) + ", commits " +
                       std::to_string(replay_.next_commit() - 1) + "; last txn " +
                       wire::to_string(tip.last.zxid) + ", current epoch " +
                       std::to_string(tip.current_epoch.value) + ", accepted epoch " +
                       std::to_string(tip.accepted_epoch.value) + " of server " +
                       zab::to_string(tip.accepted_leader) + dropped_;
  const Place end = last->place(last->end);
  const std::uint64_t file_bytes = last->reader.file_bytes();
  return Recovered{std::move(replay_.durable()), replay_.next_commit(),
                   Segment(last->reader.release(), end.segment_key, last->header.sequence,
                           end.offset, file_bytes, options_),
                   std::move(report)};
}

Result<Recovered> Recovery::begin() {
  const SegmentHeader header{identity_, 1, replay_.next_commit(), replay_.tip()};
  auto segment = Segment::create(files_, directory_, header, 0, options_);
  if (!segment) return segment.error();
  return Recovered{{}, replay_.next_commit(), std::move(*segment), directory_ + ": a new log"};
}

Result<Walked> Recovery::walk(std::uint64_t sequence, const Walked* before) {
  const std::string path = directory_ + '/' + segment_name(sequence);
  auto file = files_.open(path);
  if (!file) return file.error();
  const auto size = (*file)->size();
  if (!size) return size.error();
  SegmentReader reader(std::move(*file), path, *size);
  const auto octets = reader.at(0, header_bytes);
  if (!octets) return octets.error();
  const auto version = version_of(*octets);
  if (version && *version != format_version) {
    return wire::Error{wire::ErrorCode::system_error,
                       path + ": format version " + std::to_string(*version) +
                           " (unless the header is damaged); this program knows version " +
                           std::to_string(format_version) + " only. Nothing was changed"};
  }
  const auto header = decode_header(*octets);
  if (!header) return damaged(path, header.error().message);

  Walked walked{std::move(reader), *header, header_bytes, header_bytes, 0, false, {}};
  if (auto done = check_header(walked, sequence, before); !done) return done.error();
  if (auto done = replay(walked); !done) return done.error();
  return walked;
}

Result<void> Recovery::check_header(const Walked& walked, std::uint64_t sequence,
                                    const Walked* before) const {
  const SegmentHeader& header = walked.header;
  const std::string& path = walked.reader.path();
  if (header.identity != identity_) {
    return wire::Error{wire::ErrorCode::system_error,
                       path + " belongs to " + to_string(header.identity) + ", and this is " +
                           to_string(identity_) +
                           ": the wrong directory, or the wrong id. Nothing was changed"};
  }
  if (header.sequence != sequence) {
    return damaged(path, "contains segment " + std::to_string(header.sequence));
  }
  const std::uint64_t skipped = before && !before->sealed ? 1 : 0;
  if (header.first_commit == replay_.next_commit() + skipped && header.start == replay_.tip()) {
    return {};
  }
  const std::string continues = "commit " + std::to_string(header.first_commit) + " after txn " +
                                wire::to_string(header.start.last.zxid);
  if (!before) return damaged(path, "is the first segment, but begins with " + continues);
  return damaged(before->reader.path(), "offset " + std::to_string(before->end) +
                                            ": the records end (" + before->why + "), but " +
                                            segment_name(sequence) + " goes on with " + continues);
}

Result<void> Recovery::replay(Walked& walked) {
  const std::string& path = walked.reader.path();
  if (walked.header.first_commit != replay_.next_commit()) replay_.skip_seal();
  replay_.begin_segment();
  while (!replay_.sealed()) {
    auto found = walked.reader.commit_at(walked.place(walked.end), replay_.next_commit());
    if (!found) return found.error();
    if (const auto* none = std::get_if<NoCommit>(&*found)) {
      walked.why = none->why + " at offset " + std::to_string(none->bad);
      break;
    }
    const Commit& commit = std::get<Commit>(*found);
    if (auto done = replay_.apply(commit); !done) return damaged(path, done.error().message);
    walked.last_begin = commit.begin;
    walked.end = commit.end;
  }
  walked.sealed = replay_.sealed();

  const auto remains = walked.reader.look_behind(walked.place(walked.end), replay_.next_commit());
  if (!remains) return remains.error();
  walked.nonzero_end = remains->nonzero_end;
  if (remains->proof_at) {
    return damaged(path, "commit " + std::to_string(replay_.next_commit()) + " at offset " +
                             std::to_string(walked.end) + ": " + walked.why +
                             ", but there is an intact record of another commit at offset " +
                             std::to_string(*remains->proof_at));
  }
  if (walked.sealed && !walked.clean()) {
    return damaged(path, "offset " + std::to_string(remains->nonzero_end - 1) +
                             ": something stands behind the seal");
  }
  return {};
}

// The tail becomes what a Segment wants it to be. It and the last commit are written whatever they
// look like: after a sync that failed, the page cache shows what the disk may not have.
Result<void> Recovery::repair(Walked& last, Walked* before) {
  File& file = last.reader.file();
  if (!last.clean()) {
    dropped_ = "; dropped a commit that a crash had cut short: " +
               std::to_string(last.nonzero_end - last.end) + " octets at offset " +
               std::to_string(last.end) + " of " + segment_name(last.header.sequence) + " (" +
               last.why + ')';
  }
  const std::uint64_t file_bytes = last.reader.file_bytes();
  if (auto done = write_zeros(file, last.end, file_bytes); !done) return done;
  for (std::uint64_t at = last.last_begin; at < last.end;) {
    const auto octets = last.reader.at(at, std::min(copy_bytes, last.end - at));
    if (!octets) return octets.error();
    if (auto done = file.write(at, *octets); !done) return done;
    at += octets->size();
  }
  if (auto done = file.sync(); !done) return done;
  if (before && !last.has_commits()) {
    if (auto done = seal(*before); !done) return done;
  }
  return files_.sync_directory(directory_);
}

// Also over a seal that is there: it may be in the page cache only.
Result<void> Recovery::seal(Walked& walked) {
  const std::uint64_t begin = walked.sealed ? walked.last_begin : walked.end;
  wire::Bytes record;
  append_record(record, RecordType::sealed, replay_.tip().last, {});
  stamp(record, replay_.next_commit() - 1, walked.place(begin));
  File& file = walked.reader.file();
  if (auto done = file.write(begin, record); !done) return done;
  if (auto done = write_zeros(file, begin + record.size(), walked.nonzero_end); !done) return done;
  return file.sync();
}

}  // namespace

Result<Recovered> recover(FileSystem& files, const std::string& directory, const Identity& identity,
                          const Options& options) {
  return Recovery(files, directory, identity, options).run();
}

}  // namespace storage
