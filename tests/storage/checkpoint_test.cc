#include "server/storage/checkpoint.h"

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>
#include <sys/wait.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include "tests/support/temporary_directory.h"

namespace storage {
namespace {

using Records = std::map<wire::Bytes, wire::Bytes>;

CheckpointLabel label_at(std::uint64_t counter) {
  return {zab::ServerId{1}, {7, 8}, {{{1}, counter}, {counter, 9}}, {}, {}};
}

Records records_of(Checkpoint& checkpoint) {
  Records records;
  const auto read = checkpoint.read([&](std::string_view key, std::string_view value) {
    records.emplace(key, value);
    return Result<void>();
  });
  REQUIRE_MESSAGE(read.has_value(), read.error().message);
  return records;
}

void write(Checkpoint& checkpoint, std::uint64_t at, std::vector<wire::StoredRecord> records) {
  const auto written = checkpoint.write(label_at(at), std::move(records));
  REQUIRE_MESSAGE(written.has_value(), written.error().message);
}

CheckpointLabel label_of(Checkpoint& checkpoint) {
  const auto label = checkpoint.label();
  REQUIRE_MESSAGE(label.has_value(), label.error().message);
  REQUIRE(label->has_value());
  return **label;
}

TEST_CASE("a checkpoint that is opened again has the records and the label of the last write") {
  const test::TemporaryDirectory temporary;
  Checkpoint checkpoint(temporary.path() + "/checkpoint");
  CHECK(!checkpoint.exists());
  REQUIRE(checkpoint.label().has_value());
  CHECK(!checkpoint.label()->has_value());

  write(checkpoint, 1, {{"b", "2"}, {"a", "1"}, {"c", wire::Bytes(100'000, 'x')}});
  write(checkpoint, 2, {{"b", std::nullopt}, {"never", std::nullopt}, {"a", "changed"}, {"d", ""}});
  checkpoint.close_if_unused();
  const Records expected{{"a", "changed"}, {"c", wire::Bytes(100'000, 'x')}, {"d", ""}};
  Checkpoint again(checkpoint.path());
  CHECK(again.probe().has_value());
  CHECK(label_of(again) == label_at(2));
  CHECK(records_of(again) == expected);
  CHECK((std::filesystem::status(again.path()).permissions() & std::filesystem::perms::mask) ==
        (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
}

TEST_CASE("a reader sees the checkpoint as of one moment, while it changes") {
  const test::TemporaryDirectory temporary;
  Checkpoint checkpoint(temporary.path() + "/checkpoint");
  std::vector<wire::StoredRecord> records;
  for (int i = 0; i < 1000; ++i) records.push_back({std::to_string(1000 + i), "before"});
  write(checkpoint, 1, records);

  auto reader = CheckpointReader::begin(checkpoint);
  REQUIRE(reader.has_value());
  CHECK((*reader)->label() == label_at(1));
  wire::Bytes bytes;
  std::size_t portions = 0;
  for (bool last = false; !last; ++portions) {
    for (auto& record : records) record.value = "after" + std::to_string(portions);
    write(checkpoint, 2 + portions, records);
    const auto portion = (*reader)->next(4000, 5000);
    REQUIRE(portion.has_value());
    bytes += portion->bytes;
    last = portion->last;
  }
  CHECK(portions > 3);
  wire::ByteReader in(bytes);
  for (int i = 0; i < 1000; ++i) {
    CHECK(in.string() == std::to_string(1000 + i));
    CHECK(in.string() == "before");
  }
  CHECK(in.complete());
  reader->reset();
  CHECK(records_of(checkpoint).begin()->second != "before");
}

// Programs of all versions join the portions of a snapshot before they look for its records.
TEST_CASE("a portion ends with a whole record, unless the record does not fit") {
  const test::TemporaryDirectory temporary;
  Checkpoint checkpoint(temporary.path() + "/checkpoint");
  // With its key and two lengths, the second one just fits into a portion of its own.
  const std::vector<wire::StoredRecord> records{{"a", wire::Bytes(10, 'a')},
                                                {"b", wire::Bytes(1000 - 9, 'b')},
                                                {"c", wire::Bytes(1000 - 8, 'c')},
                                                {"d", wire::Bytes(10, 'd')},
                                                {"e", wire::Bytes(200, 'e')}};
  write(checkpoint, 1, records);
  wire::Bytes expected;
  wire::ByteWriter out(expected);
  for (const auto& record : records) {
    out.string(record.key);
    out.string(*record.value);
  }

  auto reader = CheckpointReader::begin(checkpoint);
  REQUIRE(reader.has_value());
  wire::Bytes bytes;
  std::vector<std::size_t> sizes;
  for (bool last = false; !last;) {
    const auto portion = (*reader)->next(10, 1000);
    REQUIRE(portion.has_value());
    bytes += portion->bytes;
    sizes.push_back(portion->bytes.size());
    last = portion->last;
  }
  CHECK(bytes == expected);
  const std::vector<std::size_t> beginning(sizes.begin(), sizes.begin() + 4);
  CHECK(beginning == std::vector<std::size_t>{19, 1000, 19, 10});
  CHECK(sizes.back() == 0);
  CHECK(std::ranges::count(sizes, 10) == 98);
  CHECK(sizes.size() == 104);
}

TEST_CASE("the memory map grows with the checkpoint") {
  const test::TemporaryDirectory temporary;
  Checkpoint checkpoint(temporary.path() + "/checkpoint", 1u << 20);
  // Six values of 200 KiB do not fit into 1 MiB.
  for (std::uint64_t i = 0; i < 6; ++i) {
    write(checkpoint, 1 + i, {{std::to_string(i), wire::Bytes(200u << 10, 'x')}});
  }
  CHECK(label_of(checkpoint) == label_at(6));
  CHECK(checkpoint.bytes() > (1u << 20));
  CHECK(records_of(checkpoint).size() == 6);

  const auto reader = CheckpointReader::begin(checkpoint);
  REQUIRE(reader.has_value());
  INFO("it cannot grow while there is a reader; the caller tries again later, and nothing is lost");
  CHECK(!checkpoint.write(label_at(7), {{"7", wire::Bytes(4u << 20, 'x')}}).has_value());
  CHECK(label_of(checkpoint) == label_at(6));
}

TEST_CASE("a checkpoint that is being written replaces the old one only once it is finished") {
  const test::TemporaryDirectory temporary;
  Checkpoint old(temporary.path() + "/checkpoint");
  write(old, 1, {{"old", "1"}});
  Checkpoint incoming(old.path() + ".incoming");
  write(incoming, 5, {{"left behind", "by an earlier try"}});
  {
    auto fill = CheckpointFill::begin(incoming);
    REQUIRE(fill.has_value());
    REQUIRE((*fill)->add({{"a", "1"}, {"b", "2"}}).has_value());
    INFO("keys must be added in their order");
    CHECK(!(*fill)->add({{"a", "1"}}).has_value());
    CHECK(!incoming.label()->has_value());
    REQUIRE((*fill)->add({{"c", "3"}}).has_value());
    REQUIRE((*fill)->finish(label_at(9)).has_value());
  }
  CHECK(label_of(incoming) == label_at(9));
  old.close_if_unused();
  REQUIRE(incoming.install(old.path()).has_value());
  CHECK(!incoming.exists());
  CHECK(label_of(old) == label_at(9));
  CHECK(records_of(old) == Records{{"a", "1"}, {"b", "2"}, {"c", "3"}});
}

// Each write changes all records to the same number.
TEST_CASE("if the writer is killed at any time, all records are of the same write") {
  const test::TemporaryDirectory temporary;
  const std::string path = temporary.path() + "/checkpoint";
  std::uint64_t reached = 0;
  for (int round = 0; round < 15; ++round) {
    int pipe[2];
    REQUIRE(::pipe(pipe) == 0);
    const pid_t child = fork();
    if (child == 0) {
      Checkpoint checkpoint(path);
      for (std::uint64_t n = reached + 1;; ++n) {
        std::vector<wire::StoredRecord> records;
        for (int i = 0; i < 200; ++i) records.push_back({std::to_string(i), std::to_string(n)});
        if (!checkpoint.write(label_at(n), std::move(records))) _exit(1);
        if (::write(pipe[1], &n, sizeof n) != sizeof n) _exit(1);
      }
    }
    REQUIRE(child > 0);
    ::close(pipe[1]);
    // The child reports each finished write. It is killed during the next one.
    std::uint64_t reported = 0;
    for (int i = 0; i <= round % 5; ++i)
      REQUIRE(::read(pipe[0], &reported, sizeof reported) == sizeof reported);
    ::kill(child, SIGKILL);
    REQUIRE(::waitpid(child, nullptr, 0) == child);
    std::uint64_t more = 0;
    while (::read(pipe[0], &more, sizeof more) == sizeof more) reported = more;
    ::close(pipe[0]);

    Checkpoint checkpoint(path);
    REQUIRE(checkpoint.probe().has_value());
    const std::uint64_t found = label_of(checkpoint).at.zxid.counter;
    CHECK(found >= reported);
    CHECK(found <= reported + 1);
    for (const auto& [key, value] : records_of(checkpoint)) CHECK(value == std::to_string(found));
    reached = found;
  }
}

// A change in a page that is not used is not damage: no read finds it.
TEST_CASE("a damaged file is an error, and does not kill the process") {
  const test::TemporaryDirectory temporary;
  const std::string path = temporary.path() + "/checkpoint";
  Records whole;
  {
    Checkpoint checkpoint(path);
    for (std::uint64_t n = 1; n <= 3; ++n) {
      std::vector<wire::StoredRecord> records;
      for (int i = 0; i < 300; ++i) {
        records.push_back({std::to_string(i), wire::Bytes(i % 50 == 0 ? 9000 : 100, 'v')});
      }
      write(checkpoint, n, std::move(records));
    }
    whole = records_of(checkpoint);
  }
  std::string bytes(std::filesystem::file_size(path), '\0');
  std::ifstream(path, std::ios::binary)
      .read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  const auto put = [&](const std::string& changed) {
    std::filesystem::remove(path + "-lock");
    std::ofstream(path, std::ios::binary | std::ios::trunc) << changed;
  };

  std::uint64_t state = 1;
  const auto next = [&state](std::uint64_t bound) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (state >> 33) % bound;
  };
  int noticed = 0;
  for (int round = 0; round < 120; ++round) {
    std::string changed = bytes;
    switch (round % 4) {
      case 0: changed.resize(next(bytes.size())); break;
      case 1: changed.replace(4096 * next(bytes.size() / 4096), 4096, 4096, '\0'); break;
      case 2:  // in the head of a page, where its structure is
        for (int i = 0; i < 3; ++i) {
          char& byte = changed[4096 * next(bytes.size() / 4096) + next(64)];
          byte = static_cast<char>(byte ^ (1 << next(8)));
        }
        break;
      default: changed[next(bytes.size())] ^= 0x40;
    }
    put(changed);
    Checkpoint checkpoint(path);
    bool is_whole = checkpoint.probe().has_value();
    if (is_whole) {
      const auto label = checkpoint.label();
      Records records;
      is_whole = label && *label &&
                 checkpoint
                     .read([&](std::string_view key, std::string_view value) {
                       records.emplace(key, value);
                       return Result<void>();
                     })
                     .has_value() &&
                 records == whole;
    }
    noticed += is_whole ? 0 : 1;
  }
  CHECK(noticed > 30);

  put(std::string(bytes.size(), '\0'));
  Checkpoint checkpoint(path);
  CHECK(!checkpoint.probe().has_value());
  const auto aside = checkpoint.set_aside();
  REQUIRE(aside.has_value());
  CHECK(std::filesystem::exists(*aside));
  CHECK(!checkpoint.exists());
}

}  // namespace
}  // namespace storage
