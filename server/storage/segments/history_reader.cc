#include "server/storage/segments/history_reader.h"

#include <utility>
#include <variant>

#include "server/storage/segments/segment_reader.h"

namespace storage {
namespace {

// Goes through the history txn by txn, from the beginning of a piece on.
class Walk {
 public:
  Walk(FileSystem& files, const std::string& directory, const Index& index, std::size_t piece,
       zab::Point last)
      : files_(files),
        directory_(directory),
        pieces_(index.pieces()),
        piece_(piece),
        last_(last),
        point_(pieces_[piece].before) {}

  [[nodiscard]] bool at_end() const { return point_ == last_; }
  [[nodiscard]] zab::Point point() const { return point_; }
  // `at_end` must not hold. An error is damage, or the system's.
  [[nodiscard]] Result<zab::Txn> next();

 private:
  [[nodiscard]] Result<void> enter(LogPosition at);
  [[nodiscard]] wire::Error damaged(const std::string& why) const;

  FileSystem& files_;
  const std::string& directory_;
  const std::vector<Index::Piece>& pieces_;
  std::size_t piece_;
  zab::Point last_;
  zab::Point point_;
  std::optional<SegmentReader> reader_;
  std::uint64_t sequence_ = 0;  // of the segment that it reads
  RecordLocation place_;        // of the next record
};

wire::Error Walk::damaged(const std::string& why) const {
  return {wire::ErrorCode::system_error,
          reader_->path() + ": offset " + std::to_string(place_.offset) + ": " + why};
}

Result<void> Walk::enter(LogPosition at) {
  if (!reader_ || sequence_ != at.sequence) {
    auto reader = SegmentReader::open(files_, directory_ + '/' + segment_name(at.sequence));
    if (!reader) return reader.error();
    reader_.emplace(std::move(*reader));
    const auto header = reader_->header();
    if (!header) return header.error();
    sequence_ = at.sequence;
    place_ = {key_of(*header), at.offset};
  }
  place_.offset = at.offset;
  return {};
}

Result<zab::Txn> Walk::next() {
  bool enters = !reader_;
  while (piece_ + 1 < pieces_.size() && pieces_[piece_ + 1].before == point_) {
    ++piece_;
    enters = true;
  }
  if (enters) {
    if (auto done = enter(pieces_[piece_].at); !done) return done.error();
  }
  for (;;) {
    auto found = reader_->record_at(place_);
    if (!found) return found.error();
    if (const auto* none = std::get_if<NoRecord>(&*found)) return damaged(none->why);
    const auto& record = std::get<Record>(*found);
    if (record.header.type == RecordType::sealed) return damaged("the history goes on elsewhere");
    if (record.header.type == RecordType::txn) {
      const zab::Point point = record.header.point;
      if (!zab::may_follow(point.zxid, point_.zxid) ||
          zab::chain(point_.hash, point.zxid, record.content) != point.hash) {
        return damaged("txn " + wire::to_string(point.zxid) + " does not follow " +
                       wire::to_string(point_.zxid));
      }
      point_ = point;
      place_.offset = end_of(record);
      return zab::Txn{point.zxid, point.hash, record.content, record.payload};
    }
    place_.offset = end_of(record);
  }
}

}  // namespace

Result<std::optional<Stretch>> read_after(FileSystem& files, const std::string& directory,
                                          const Index& index, zab::Point last, zab::Point after,
                                          std::uint64_t max_bytes) {
  const zab::Point begin = index.begin();
  if (after.zxid < begin.zxid) return std::optional<Stretch>();
  if (after.zxid == begin.zxid && after != begin) return std::optional<Stretch>();

  Walk walk(files, directory, index, index.before(after.zxid), last);
  Stretch stretch{walk.point(), {}};
  for (std::uint64_t bytes = 0; !walk.at_end();) {
    auto txn = walk.next();
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
