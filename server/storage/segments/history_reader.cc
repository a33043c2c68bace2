#include "server/storage/segments/history_reader.h"

#include <utility>
#include <variant>

#include "server/storage/segments/segment_reader.h"

namespace storage {
namespace {

// Reads the history txn by txn, from the beginning of a piece on.
class HistoryCursor {
 public:
  HistoryCursor(FileSystem& files, const std::string& directory, const Index& index,
                std::size_t piece, zab::Point last)
      : files_(files),
        directory_(directory),
        pieces_(index.pieces()),
        piece_(piece),
        last_(last),
        point_(pieces_[piece].before) {}

  [[nodiscard]] bool at_end() const { return point_ == last_; }
  [[nodiscard]] zab::Point point() const { return point_; }
  // Call only if not `at_end`. An error is damage, or comes from the operating system.
  [[nodiscard]] Result<zab::Txn> next();

 private:
  [[nodiscard]] Result<void> move_to(LogPosition at);
  [[nodiscard]] wire::Error damaged(const std::string& why) const;

  FileSystem& files_;
  const std::string& directory_;
  const std::vector<Index::Piece>& pieces_;
  std::size_t piece_;
  zab::Point last_;
  zab::Point point_;
  std::optional<SegmentReader> reader_;
  std::uint64_t sequence_ = 0;  // of the segment that is open
  RecordLocation location_;     // of the next record
};

wire::Error HistoryCursor::damaged(const std::string& why) const {
  return {wire::ErrorCode::system_error,
          reader_->path() + ": offset " + std::to_string(location_.offset) + ": " + why};
}

Result<void> HistoryCursor::move_to(LogPosition at) {
  if (!reader_ || sequence_ != at.sequence) {
    auto reader = SegmentReader::open(files_, directory_ + '/' + segment_name(at.sequence));
    if (!reader) return reader.error();
    reader_.emplace(std::move(*reader));
    const auto header = reader_->header();
    if (!header) return header.error();
    sequence_ = at.sequence;
    location_ = {key_of(*header), at.offset};
  }
  location_.offset = at.offset;
  return {};
}

Result<zab::Txn> HistoryCursor::next() {
  bool moves = !reader_;
  while (piece_ + 1 < pieces_.size() && pieces_[piece_ + 1].before == point_) {
    ++piece_;
    moves = true;
  }
  if (moves) {
    if (auto done = move_to(pieces_[piece_].at); !done) return done.error();
  }
  for (;;) {
    auto found = reader_->record_at(location_);
    if (!found) return found.error();
    if (const auto* none = std::get_if<NoRecord>(&*found)) return damaged(none->why);
    const auto& record = std::get<Record>(*found);
    if (record.header.type == RecordType::sealed) {
      return damaged("the segment is sealed here, but its history should continue");
    }
    if (record.header.type == RecordType::txn) {
      const zab::Point point = record.header.point;
      if (!zab::may_follow(point.zxid, point_.zxid) ||
          zab::chain(point_.hash, point.zxid, record.content) != point.hash) {
        return damaged("txn " + wire::to_string(point.zxid) + " does not follow " +
                       wire::to_string(point_.zxid));
      }
      point_ = point;
      location_.offset = end_of(record);
      return zab::Txn{point.zxid, point.hash, record.content, record.payload};
    }
    location_.offset = end_of(record);
  }
}

}  // namespace

Result<std::optional<Stretch>> read_after(FileSystem& files, const std::string& directory,
                                          const Index& index, zab::Point last, zab::Point after,
                                          std::uint64_t max_bytes) {
  const zab::Point begin = index.begin();
  if (after.zxid < begin.zxid) return std::optional<Stretch>();
  if (after.zxid == begin.zxid && after != begin) return std::optional<Stretch>();

  HistoryCursor cursor(files, directory, index, index.piece_before(after.zxid), last);
  Stretch stretch{cursor.point(), {}};
  for (std::uint64_t bytes = 0; !cursor.at_end();) {
    auto txn = cursor.next();
    if (!txn) return txn.error();
    if (txn->zxid < after.zxid || txn->point() == after) {
      stretch.from = txn->point();
      continue;
    }
    bytes += txn->payload->size();
    if (!stretch.txns.empty() && bytes > max_bytes) break;
    stretch.txns.push_back(std::move(*txn));
  }
  return std::optional<Stretch>(std::move(stretch));
}

}  // namespace storage
