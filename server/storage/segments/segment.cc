#include "server/storage/segments/segment.h"

#include <algorithm>
#include <array>
#include <utility>

namespace storage {
namespace {

// The name of a segment that is not durable yet. Recovery ignores it.
constexpr std::string_view unfinished_name = "log.new";

constexpr std::uint64_t seal_bytes = record_bytes(0);

// Large writes are cut into pieces of this size, which end at a multiple of it in the file. The
// page cache keeps an aligned write in one large block of memory. Every later operation on it,
// writing over it too, costs by the block.
constexpr std::uint64_t piece_bytes = 512u << 10;

}  // namespace

Result<void> write_zeros(File& file, std::uint64_t from, std::uint64_t to) {
  static std::array<char, piece_bytes> zeros;  // not const: so the program file does not contain it
  while (from < to) {
    const std::uint64_t count =
        std::min<std::uint64_t>(to - from, piece_bytes - from % piece_bytes);
    if (auto done = file.write(from, {zeros.data(), count}); !done) return done;
    from += count;
  }
  return {};
}

Result<Segment> Segment::create(FileSystem& files, const std::string& directory,
                                const SegmentHeader& header, std::uint64_t commit_bytes,
                                const LogOptions& options, const std::string& spare) {
  std::string path = spare;
  auto file = spare.empty() ? Result<std::unique_ptr<File>>(nullptr) : files.open(spare);
  // An operator may have removed the spare file.
  if (spare.empty() || !file) {
    path = directory + '/' + std::string(unfinished_name);
    file = files.create(path);
  }
  if (!file) return file.error();
  if (auto done = (*file)->write(0, encode(header)); !done) return done.error();
  const auto bytes = (*file)->size();
  if (!bytes) return bytes.error();

  Segment segment(std::move(*file), key_of(header), header.sequence, header_bytes, *bytes, options);
  segment.limit_ = std::max(segment.limit_, header_bytes + commit_bytes + seal_bytes);
  if (auto done = segment.fill(); !done) return done.error();
  if (auto done = segment.sync(); !done) return done.error();
  const std::string name = directory + '/' + segment_name(header.sequence);
  if (auto done = files.rename(path, name); !done) return done.error();
  if (auto done = files.sync_directory(directory); !done) return done.error();
  return segment;
}

Segment::Segment(std::unique_ptr<File> file, std::uint64_t key, std::uint64_t sequence,
                 std::uint64_t end, std::uint64_t filled, const LogOptions& options)
    : file_(std::move(file)),
      key_(key),
      sequence_(sequence),
      end_(end),
      started_(page_begin(end)),
      filled_(filled),
      limit_(std::max(options.segment_bytes, filled)),
      fill_bytes_(options.fill_bytes) {}

bool Segment::fits(std::uint64_t bytes) const { return end_ + bytes + seal_bytes <= limit_; }

bool Segment::needs_filling() const {
  return filling_pays_ && filled_ < std::min(limit_, end_ + fill_bytes_ / 2);
}

// Writes whole pages: the file system need not read the old bytes of the last page.
Result<void> Segment::append(wire::Bytes& records, std::uint64_t commit_bytes) {
  const std::size_t bytes = records.size();
  const std::uint64_t to = std::min(page_end(end_ + bytes), filled_);
  records.resize(std::max<std::uint64_t>(bytes, to - std::min(to, end_)), '\0');
  if (auto done = file_->write(end_, records); !done) return done;
  records.clear();
  return advance(bytes, commit_bytes);
}

Result<void> Segment::append_pieces(wire::Bytes& records, std::uint64_t commit_bytes) {
  if (commit_bytes < piece_bytes) return {};
  const std::uint64_t to = (end_ + records.size()) / piece_bytes * piece_bytes;
  if (to <= end_) return {};
  const std::size_t bytes = to - end_;
  const auto written = file_->write(end_, std::string_view(records).substr(0, bytes));
  if (!written) return written;
  records.erase(0, bytes);
  if (auto done = advance(bytes, commit_bytes); !done) return done;
  if (to - started_ >= piece_bytes / 2) {
    file_->start_writing(started_, to - started_);
    started_ = to;
  }
  return {};
}

Result<void> Segment::advance(std::uint64_t bytes, std::uint64_t commit_bytes) {
  end_ += bytes;
  // Filling writes every byte twice, and saves one write of metadata for each commit.
  filling_pays_ = commit_bytes <= fill_bytes_ / 8;
  if (end_ <= filled_) return {};
  filled_ = end_;
  if (!filling_pays_) return {};
  return fill();
}

Result<void> Segment::sync() {
  started_ = page_begin(end_);
  return file_->sync();
}

Result<void> Segment::fill() {
  // Fills in halves of `fill_bytes_`, so that each write is a whole piece.
  const std::uint64_t ahead = end_ + fill_bytes_;
  const std::uint64_t to =
      std::min(limit_, ahead - ahead % std::max<std::uint64_t>(fill_bytes_ / 2, 1));
  if (to <= filled_) return {};
  if (auto done = write_zeros(*file_, filled_, to); !done) return done;
  filled_ = to;
  return {};
}

}  // namespace storage
