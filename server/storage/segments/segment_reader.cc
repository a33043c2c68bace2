#include "server/storage/segments/segment_reader.h"

#include <algorithm>
#include <utility>

namespace storage {
namespace {

constexpr std::uint64_t window_bytes = 256ull << 10;

bool is_known(RecordType type) { return type >= RecordType::txn && type <= RecordType::mark; }

}  // namespace

Result<SegmentReader> SegmentReader::open(FileSystem& files, const std::string& path) {
  auto file = files.open(path);
  if (!file) return file.error();
  const auto size = (*file)->size();
  if (!size) return size.error();
  return SegmentReader(std::move(*file), path, *size);
}

SegmentReader::SegmentReader(std::unique_ptr<File> file, std::string path, std::uint64_t file_bytes)
    : file_(std::move(file)), path_(std::move(path)), file_bytes_(file_bytes) {}

Result<SegmentHeader> SegmentReader::header() {
  const auto bytes = at(0, header_bytes);
  if (!bytes) return bytes.error();
  auto header = decode_header(*bytes);
  if (!header) return wire::Error{header.error().code, path_ + ": " + header.error().message};
  return header;
}

Result<std::string_view> SegmentReader::at(std::uint64_t offset, std::uint64_t count) {
  if (offset >= file_bytes_) return std::string_view();
  count = std::min(count, file_bytes_ - offset);
  const bool there = offset >= window_begin_ && offset + count <= window_begin_ + window_.size();
  if (!there) {
    window_.resize(std::min(std::max(count, window_bytes), file_bytes_ - offset));
    const auto read = file_->read(offset, {window_.data(), window_.size()});
    window_.resize(read ? *read : 0);
    window_begin_ = offset;
    if (!read) return read.error();
  }
  return std::string_view(window_).substr(offset - window_begin_, count);
}

Result<std::variant<Record, NoRecord>> SegmentReader::record_at(RecordLocation location) {
  using Found = std::variant<Record, NoRecord>;
  const auto bytes = at(location.offset, record_header_bytes);
  if (!bytes) return bytes.error();
  const auto header = decode_record_header(*bytes, location);
  if (!header) return Found(NoRecord{"no intact record header"});
  if (!is_known(header->type)) {
    return wire::Error{wire::ErrorCode::unimplemented,
                       path_ + ": offset " + std::to_string(location.offset) +
                           ": a later version of this program wrote this record (type " +
                           std::to_string(static_cast<int>(header->type)) +
                           "); use the program that wrote it"};
  }
  const std::uint64_t payload_at = location.offset + record_header_bytes;
  const std::uint64_t end = location.offset + record_bytes(header->payload_bytes);
  if (end > file_bytes_) return Found(NoRecord{"the record reaches beyond the end of the file"});
  const auto padded = at(payload_at, end - payload_at);
  if (!padded) return padded.error();
  const std::string_view payload = padded->substr(0, header->payload_bytes);
  const zab::ContentHash content = zab::content_hash(payload);
  if (content.low != header->payload_checksum ||
      padded->find_first_not_of('\0', payload.size()) != std::string_view::npos) {
    return Found(NoRecord{"the record's payload does not match its checksum"});
  }
  return Found(
      Record{*header, location.offset, content, std::make_shared<const wire::Bytes>(payload)});
}

Result<std::variant<Commit, NoCommit>> SegmentReader::commit_at(RecordLocation begin,
                                                                std::uint64_t number) {
  using Found = std::variant<Commit, NoCommit>;
  Commit commit;
  commit.begin = commit.end = begin.offset;
  const auto none = [&](std::string why) {
    return Found(NoCommit{begin.offset, commit.end, std::move(why)});
  };
  while (commit.records.empty() || !commit.records.back().header.ends_commit) {
    auto found = record_at({begin.segment_key, commit.end});
    if (!found) return found.error();
    if (auto* no_record = std::get_if<NoRecord>(&*found)) return none(std::move(no_record->why));
    auto& record = std::get<Record>(*found);
    if (record.header.commit != number) {
      return none("a record of commit " + std::to_string(record.header.commit) + ", where commit " +
                  std::to_string(number) + " is expected");
    }
    commit.end = end_of(record);
    commit.records.push_back(std::move(record));
  }
  return Found(std::move(commit));
}

Result<Remainder> SegmentReader::scan_remainder(RecordLocation begin,
                                                std::uint64_t unfinished_commit) {
  Remainder remainder;
  const std::uint64_t zeroed_end = page_end(begin.offset);
  for (RecordLocation location = begin; location.offset < file_bytes_;
       location.offset += record_alignment) {
    const auto bytes = at(location.offset, record_header_bytes);
    if (!bytes) return bytes.error();
    const std::string_view step = bytes->substr(0, record_alignment);
    const std::size_t last = step.find_last_not_of('\0');
    if (last == std::string_view::npos) continue;
    if (location.offset < zeroed_end) remainder.unfinished_end = location.offset + last + 1;
    const auto header = decode_record_header(*bytes, location);
    if (!header) continue;
    if (header->commit != unfinished_commit) {
      remainder.proof_at = location.offset;
      return remainder;
    }
    remainder.unfinished_end =
        std::min(location.offset + record_bytes(header->payload_bytes), file_bytes_);
  }
  return remainder;
}

}  // namespace storage
