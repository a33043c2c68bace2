#include "server/storage/recovery/segment_catalog.h"

#include <algorithm>
#include <utility>

#include "server/storage/segments/segment_reader.h"

namespace storage {
namespace {

// Errors as for `catalog`.
Result<SegmentEntry> look_at(FileSystem& files, const std::string& directory,
                             std::uint64_t sequence, zab::ServerId server) {
  SegmentEntry seen{sequence, directory + '/' + segment_name(sequence), 0, {}, {}, {}};
  auto reader = SegmentReader::open(files, seen.path);
  if (!reader) {
    seen.wrong = reader.error().message;
    return seen;
  }
  seen.file_bytes = reader->file_bytes();
  const auto header = reader->header();
  if (!header) {
    if (header.error().code == wire::ErrorCode::unimplemented) {
      return wire::Error{header.error().code, header.error().message + ". Nothing was changed"};
    }
    seen.wrong = header.error().message;
    return seen;
  }
  if (header->server != server) {
    return wire::Error{wire::ErrorCode::system_error,
                       seen.path + " belongs to server " + zab::to_string(header->server) +
                           ", and this is server " + zab::to_string(server) +
                           ": the wrong directory, or the wrong id. Nothing was changed"};
  }
  if (header->sequence != sequence) {
    seen.wrong = seen.path + ": contains segment " + std::to_string(header->sequence);
    return seen;
  }
  seen.header = *header;
  return seen;
}

SegmentEntry missing(const std::string& directory, std::uint64_t sequence, std::uint64_t later) {
  const std::string path = directory + '/' + segment_name(sequence);
  return {sequence, path, 0, {}, path + ": is missing, but " + segment_name(later) + " is there",
          {}};
}

// From the last segment back: those that count, the last one first.
std::vector<SegmentEntry> those_that_count(std::vector<SegmentEntry> all,
                                           const std::string& directory) {
  std::vector<SegmentEntry> kept;
  std::optional<LogPosition> mended;  // what the last one kept goes on from
  std::ranges::reverse(all);
  for (SegmentEntry& seen : all) {
    if (mended && seen.sequence > mended->sequence) continue;
    if (!kept.empty()) {
      const std::uint64_t expected = mended ? mended->sequence : kept.back().sequence - 1;
      if (seen.sequence != expected) {
        kept.push_back(missing(directory, expected, kept.back().sequence));
      } else if (mended) {
        seen.until = mended->offset;
      }
    }
    kept.push_back(std::move(seen));
    const auto& header = kept.back().header;
    mended = header ? header->mends : std::nullopt;
    if (mended && mended->sequence == 0) break;
  }
  return kept;
}

// The greatest sequence of a segment that mends, as the notes beside them say.
std::uint64_t last_noted(const std::vector<std::string>& names) {
  std::uint64_t last = 0;
  for (const std::string& name : names) last = std::max(last, noted_by(name).value_or(0));
  return last;
}

}  // namespace

Result<std::vector<std::uint64_t>> list_segments(FileSystem& files, const std::string& directory) {
  const auto names = files.list(directory);
  if (!names) return names.error();
  std::vector<std::uint64_t> found;
  for (const std::string& name : *names) {
    if (const auto sequence = sequence_of(name)) found.push_back(*sequence);
  }
  std::ranges::sort(found);
  return found;
}

Result<SegmentCatalog> read_catalog(FileSystem& files, const std::string& directory,
                                    zab::ServerId server) {
  const auto sequences = list_segments(files, directory);
  if (!sequences) return sequences.error();
  std::vector<SegmentEntry> all;
  for (const std::uint64_t sequence : *sequences) {
    auto seen = look_at(files, directory, sequence, server);
    if (!seen) return seen.error();
    all.push_back(std::move(*seen));
  }
  const auto names = files.list(directory);
  if (!names) return names.error();
  const std::uint64_t noted = last_noted(*names);
  if (noted > 0 && (all.empty() || all.back().sequence < noted)) {
    const std::string path = directory + '/' + segment_name(noted);
    all.push_back(
        {noted, path, 0, {}, path + ": is missing, but " + note_name(noted) + " is there", {}});
  }
  SegmentCatalog result;
  if (!all.empty()) result.next_sequence = all.back().sequence + 1;
  result.segments = those_that_count(std::move(all), directory);
  std::ranges::reverse(result.segments);
  return result;
}

}  // namespace storage
