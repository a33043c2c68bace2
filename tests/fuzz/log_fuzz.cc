#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "server/storage/format/record.h"
#include "tests/storage/script.h"
#include "wire/ensure.h"

// Opens a log directory of one of three kinds: a good log that was edited, files of random bytes,
// and segments with valid checksums and random contents. The log opens, or returns an error. A log
// that opens can be written to, and has the same state when it is opened again.
namespace {

using namespace storage::test;
using storage::LogPosition;
using storage::SegmentHeader;

class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : data_(data), size_(size) {}
  [[nodiscard]] bool empty() const { return size_ == 0; }
  std::uint8_t byte() {
    if (empty()) return 0;
    --size_;
    return *data_++;
  }
  std::uint64_t number(int bytes) {
    std::uint64_t value = 0;
    while (bytes-- > 0) value = value << 8 | byte();
    return value;
  }
  std::string bytes(std::size_t count) {
    count = std::min(count, size_);
    std::string result(reinterpret_cast<const char*>(data_), count);
    data_ += count;
    size_ -= count;
    return result;
  }
  std::size_t below(std::size_t bound) { return static_cast<std::size_t>(number(2) % bound); }

 private:
  const std::uint8_t* data_;
  std::size_t size_;
};

// A good log, a mended log, and one with recycled segments; with every state that they had.
struct Good {
  std::vector<Files> logs;
  std::vector<zab::Point> ends{{}};
  std::set<std::string> states{describe({})};
};

Files recycled(const std::function<void(const zab::Durable&)>& remember) {
  sim::SimFileSystem disk(1);
  auto opened = open(disk, storage::LogOptions{.segment_bytes = 12288, .fill_bytes = 1024});
  Script script;
  script.accept(1, 3);
  script.adopt(1);
  while (opened->log.end().sequence < 6 || opened->log.end().offset < 6000) {
    script.append(1, 300);
    ensure(commit(opened->log, script).has_value(), "a commit to a recycled log succeeds");
    remember(script.state());
    const bool done = opened->log.end().sequence > 5;
    if (!done)
      ensure(opened->log.purge(script.state().history.last(), 12000).has_value(),
             "a purge succeeds");
  }
  return files_of(disk);
}

Good make_good() {
  Good good;
  const std::vector<Step> steps = full_script();
  sim::SimFileSystem disk(1);
  ensure(run_steps(disk, steps) == steps.size(), "the good log is written");
  const auto remember = [&](const zab::Durable& state) {
    good.ends.push_back(state.history.last());
    good.states.insert(describe(state));
  };
  for (const Step& step : steps) remember(step.state);
  good.logs.push_back(files_of(disk));
  disk.lose(path_of(4));
  auto opened = open(disk);
  Script script(opened->recovered);
  remember(script.state());
  for (std::uint32_t epoch = 5; epoch < 8; ++epoch) {
    script.accept(epoch, 1);
    script.adopt(epoch, script.state().history.last().zxid, 3, 900);
    script.append(2, 30);
    ensure(commit(opened->log, script).has_value(), "a damaged log can be written to");
    remember(script.state());
  }
  good.logs.push_back(files_of(disk));
  good.logs.push_back(recycled(remember));
  return good;
}

void edit(Files& files, Input& input) {
  const auto chosen =
      std::next(files.begin(), static_cast<std::ptrdiff_t>(input.below(files.size())));
  std::string& contents = chosen->second;
  const std::size_t at = contents.empty() ? 0 : input.below(contents.size());
  switch (input.byte() % 8) {
    case 0: {
      const std::string bytes = input.bytes(input.byte() % 16);
      contents.replace(at, std::min(bytes.size(), contents.size() - at), bytes);
      break;
    }
    case 1: contents.resize(at); break;
    case 2: files.erase(chosen); break;
    case 3: {
      auto other = std::next(files.begin(), static_cast<std::ptrdiff_t>(input.below(files.size())));
      std::swap(contents, other->second);
      break;
    }
    case 4: contents.insert(at, input.bytes(input.byte() % 16)); break;
    case 5:
      std::fill(contents.begin() + static_cast<std::ptrdiff_t>(at), contents.end(), '\0');
      break;
    case 6: contents.erase(at, input.below(512)); break;
    case 7: files[path_of(input.byte() % 16 + 1)] = contents; break;
  }
}

zab::Point point_of(Input& input) { return {{{input.byte()}, input.byte()}, {input.byte(), 0}}; }

// A segment with valid checksums and random contents.
std::string segment_of(Input& input, std::uint64_t sequence) {
  SegmentHeader header;
  header.server = self;
  header.sequence = sequence;
  header.first_commit = input.byte();
  header.start = {
      {input.byte()}, {input.byte()}, {input.byte()}, cluster, false, point_of(input), {}};
  const std::uint8_t flags = input.byte();
  if ((flags & 1) != 0) header.start.damaged = {{input.byte()}, point_of(input).zxid};
  if ((flags & 2) != 0) header.mends = LogPosition{input.byte(), input.number(2) * 8};
  std::string contents = storage::encode(header);
  std::uint64_t number = header.first_commit;
  zab::Point point = header.start.last;
  for (int commits = input.byte() % 8; commits > 0; --commits) {
    for (int count = input.byte() % 4 + 1; count > 0; --count) {
      const auto type = static_cast<storage::RecordType>(input.byte() % 8);
      std::string payload = input.bytes(input.byte() % 64);
      const std::uint8_t how = input.byte();
      if (type == storage::RecordType::txn && how % 4 != 0) {
        const zab::Zxid zxid = how % 4 == 1 ? zab::Zxid{{input.byte()}, 1} : point.zxid.next();
        point = {zxid, zab::chain(point.hash, zxid, zab::content_hash(payload))};
      } else if (how % 4 == 0) {
        point = point_of(input);
      }
      if (type == storage::RecordType::accept_epoch && how % 8 >= 4) {
        payload = storage::encode(zab::AcceptEpoch{{input.byte()}, {1}});
      }
      if (type == storage::RecordType::adopt_history && how % 8 >= 4) {
        payload = encode(storage::Adoption{{input.byte()}, input.byte() % 3u, cluster, how >= 128});
      }
      const storage::RecordLocation place{storage::key_of(header), contents.size()};
      storage::append_record(contents, type, point, payload, {number, count == 1, place});
    }
    ++number;
    if (input.byte() % 16 == 0) contents.append(8 * input.byte(), '\0');
  }
  return contents;
}

// Opens the log, writes to it, and opens it again. `good`: the states that are allowed, if known.
void check_log(const Files& files, zab::Point applied, const Good* good) {
  sim::SimFileSystem disk(1);
  plant(disk, files);
  zab::Durable then;
  {
    auto opened = open(disk, applied);
    static_cast<void>(storage::Log::adopted_snapshot(disk, directory, self));
    if (!opened) return;
    const zab::Durable& is = opened->recovered;
    ensure(is.history.base().zxid <= applied.zxid,
           "the history begins at or before the checkpoint");
    ensure(is.history.contains(applied), "the checkpoint is in the history");
    if (good != nullptr) {
      const zab::Point last = is.history.last();
      ensure(last == applied || std::ranges::find(good->ends, last) != good->ends.end(),
             "the log once had this history");
      ensure(is.damaged || applied != zab::Point{} || good->states.contains(describe(is)),
             "the log once had this state, or is damaged: " + describe(is));
    }
    for (const auto& [path, contents] : files) {
      if (path == extent_path) continue;
      ensure(!is.damaged || mentions(opened->report, "damaged earlier") ||
                 disk.contents(path) == contents,
             "no file of a damaged log was changed");
    }
    if (is.accepted_epoch.value + 1 >= zab::Epoch::max) return;
    Script script(is);
    script.accept(is.accepted_epoch.value + 1, 2);
    script.adopt(is.accepted_epoch.value + 1, is.history.last().zxid, 2, 500);
    const auto done = commit(opened->log, script);
    ensure(done.has_value(), "a log that opens can be written to");
    script.append(3, 900);
    ensure(commit(opened->log, script).has_value() && opened->log.mark().has_value(),
           "a later commit and a mark succeed");
    then = script.state();
    const auto read = opened->log.read_after(opened->log.begin(), 1 << 20);
    ensure(read.has_value() && read->has_value() && !(*read)->txns.empty() &&
               (*read)->txns.back().point() == then.history.last(),
           "the history can be read");
  }
  const auto again = open(disk, applied);
  ensure(again.has_value(), "the log opens again: " + error_of(again));
  ensure(describe(again->recovered) == describe(then),
         "the log has the same state: " + describe(again->recovered) + "\nwas " + describe(then) +
             '\n' + again->report);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Good good = make_good();
  Input input(data, size);
  const std::uint8_t mode = input.byte();
  const std::uint8_t applied = input.byte();
  if (mode % 4 < 2) {
    Files files = good.logs[mode / 4 % good.logs.size()];
    while (!input.empty() && !files.empty()) edit(files, input);
    check_log(files, good.ends[applied % good.ends.size()], &good);
  } else {
    Files files;
    while (!input.empty()) {
      const std::uint64_t sequence = input.byte() % 8 + 1;
      files[path_of(sequence)] =
          mode % 4 == 2 ? input.bytes(input.number(2)) : segment_of(input, sequence);
    }
    check_log(files, applied % 2 == 0 ? zab::Point{} : point_of(input), nullptr);
  }
  return 0;
}
