#include "server/storage/recovery/segment_catalog.h"

#include <algorithm>
#include <utility>

#include "server/storage/segments/segment_reader.h"

namespace storage {
namespace {

// Errors as for `read_catalog`.
Result<SegmentEntry> read_entry(FileSystem& files, const std::string& directory,
                                std::uint64_t sequence, zab::ServerId server) {
  SegmentEntry entry{sequence, directory + '/' + segment_name(sequence), 0, {}, {}, {}};
  auto reader = SegmentReader::open(files, entry.path);
  if (!reader) {
    entry.problem = reader.error().message;
    return entry;
  }
  entry.file_bytes = reader->file_bytes();
  const auto header = reader->header();
  if (!header) {
    if (header.error().code == wire::ErrorCode::unimplemented) {
      return wire::Error{header.error().code, header.error().message + ". Nothing was changed"};
    }
    entry.problem = header.error().message;
    return entry;
  }
  if (header->server != server) {
    return wire::Error{wire::ErrorCode::system_error,
                       entry.path + " belongs to server " + zab::to_string(header->server) +
                           ", but this is server " + zab::to_string(server) +
                           ": check the directory, and the id of this server. Nothing was changed"};
  }
  if (header->sequence != sequence) {
    entry.problem =
        entry.path + ": the file contains segment " + std::to_string(header->sequence) + " instead";
    return entry;
  }
  entry.header = *header;
  return entry;
}

// An entry for a segment whose file is missing, although `proof` is in the directory.
SegmentEntry missing(const std::string& directory, std::uint64_t sequence,
                     const std::string& proof) {
  const std::string path = directory + '/' + segment_name(sequence);
  return {sequence, path, 0, {}, path + ": the file is missing, but " + proof + " exists", {}};
}

// Leaves out void segments, and adds an entry for each gap. The result begins with the last segment
// and ends with the first.
std::vector<SegmentEntry> valid_segments_backwards(std::vector<SegmentEntry> all,
                                                   const std::string& directory) {
  std::vector<SegmentEntry> kept;
  std::optional<LogPosition> mended;  // the last kept segment continues from there
  std::ranges::reverse(all);
  for (SegmentEntry& entry : all) {
    if (mended && entry.sequence > mended->sequence) continue;
    if (!kept.empty()) {
      const std::uint64_t expected = mended ? mended->sequence : kept.back().sequence - 1;
      if (entry.sequence != expected) {
        kept.push_back(missing(directory, expected, segment_name(kept.back().sequence)));
      } else if (mended) {
        entry.valid_until = mended->offset;
      }
    }
    kept.push_back(std::move(entry));
    const auto& header = kept.back().header;
    mended = header ? header->mends : std::nullopt;
    if (mended && mended->sequence == 0) break;
  }
  return kept;
}

// The greatest sequence for which there is a mend note; 0 if there is none.
std::uint64_t last_mend_note(const std::vector<std::string>& names) {
  std::uint64_t last = 0;
  for (const std::string& name : names) {
    last = std::max(last, sequence_of_mend_note(name).value_or(0));
  }
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
    auto entry = read_entry(files, directory, sequence, server);
    if (!entry) return entry.error();
    all.push_back(std::move(*entry));
  }
  const auto names = files.list(directory);
  if (!names) return names.error();
  const std::uint64_t noted = last_mend_note(*names);
  if (noted > 0 && (all.empty() || all.back().sequence < noted)) {
    all.push_back(missing(directory, noted, mend_note_name(noted)));
  }
  SegmentCatalog result;
  if (!all.empty()) result.next_sequence = all.back().sequence + 1;
  result.segments = valid_segments_backwards(std::move(all), directory);
  std::ranges::reverse(result.segments);
  return result;
}

}  // namespace storage
