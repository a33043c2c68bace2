#include "server/startup/recovered_state.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <xxhash.h>

#include <doctest/doctest.h>

#include "server/checkpoints/incoming_snapshot.h"
#include "server/storage/checkpoint.h"
#include "server/storage/files/posix_file_system.h"
#include "tests/support/temporary_directory.h"

namespace server {
namespace {

namespace fs = std::filesystem;

constexpr zab::ServerId self{1};

bool mentions(const std::string& text, const std::string& part) {
  CAPTURE(text);
  CAPTURE(part);
  return text.find(part) != std::string::npos;
}

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// The names and the contents of everything in a directory.
std::map<std::string, std::string> contents_of(const std::string& directory) {
  std::map<std::string, std::string> contents;
  for (const auto& entry : fs::recursive_directory_iterator(directory)) {
    contents[entry.path()] = entry.is_regular_file() ? read_file(entry.path()) : "";
  }
  return contents;
}

// Replaces every copy of `old_bytes`: LMDB also keeps pages that it does not use any more.
void replace_in(const std::string& path, const std::string& old_bytes,
                const std::string& new_bytes) {
  REQUIRE(old_bytes.size() == new_bytes.size());
  std::string bytes = read_file(path);
  int replaced = 0;
  for (std::size_t at = 0; (at = bytes.find(old_bytes, at)) != bytes.npos; ++replaced) {
    bytes.replace(at, old_bytes.size(), new_bytes);
  }
  REQUIRE(replaced > 0);
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

wire::Bytes with_checksum(wire::Bytes bytes, std::size_t size) {
  bytes.resize(size - sizeof(XXH64_hash_t));
  const auto checksum = XXH3_64bits(bytes.data(), bytes.size());
  wire::ByteWriter(bytes).integer(checksum);
  return bytes;
}

// The label of a later program, as long as that of level 0.
wire::Bytes later_label(std::size_t size) {
  wire::Bytes bytes;
  wire::ByteWriter out(bytes);
  out.integer<std::uint8_t>(5);
  out.integer<std::uint32_t>(9);
  out.string("zabkeeper 0.4.0");
  return with_checksum(std::move(bytes), size);
}

// The directory of a server that has done nothing yet, with a checkpoint of its empty state.
class Directory {
 public:
  Directory() {
    REQUIRE(start().has_value());
    write_checkpoint(checkpoint_path(path()), label());
  }

  [[nodiscard]] const std::string& path() const { return temporary_.path(); }
  [[nodiscard]] std::string checkpoint() const { return checkpoint_path(path()); }
  [[nodiscard]] std::string first_segment() const {
    return path() + "/" + storage::segment_name(1);
  }
  [[nodiscard]] storage::CheckpointLabel label(wire::Level level = {}) const {
    return {self, {}, {}, level, "zabkeeper 0.9.0"};
  }

  void write_checkpoint(const std::string& to, const storage::CheckpointLabel& label) const {
    session::Service service;
    service.begin_image();
    std::vector<wire::StoredRecord> records;
    while (!service.collect_image(100, records)) {
    }
    storage::Checkpoint file(to);
    REQUIRE(file.write(label, std::move(records)).has_value());
  }
  // The label of the file becomes one of a later version.
  void make_later(const std::string& file) const {
    const wire::Bytes now = encode(label());
    replace_in(file, now, later_label(now.size()));
  }
  // The header of the first segment becomes one of a later version.
  void make_segment_later() const {
    const std::string header = read_file(first_segment()).substr(0, 128);
    std::string later = header;
    later[8] = 9;
    replace_in(first_segment(), header, with_checksum(later, later.size()));
  }

  [[nodiscard]] wire::Result<RecoveredState> start() {
    DataOptions options;
    options.data_dir = options.log_dir = path();
    options.server = self;
    options.log.program = "zabkeeper 0.2.0";
    return recover_state(files_, options);
  }

 private:
  ::test::TemporaryDirectory temporary_;
  storage::PosixFileSystem files_;
};

void check_refused(Directory& directory, const std::string& file, const std::string& why) {
  const auto before = contents_of(directory.path());
  const auto started = directory.start();
  REQUIRE(!started.has_value());
  CHECK(mentions(started.error().message, file + ": " + why));
  CHECK(mentions(started.error().message, "Nothing was changed"));
  CHECK(mentions(started.error().message, "This is zabkeeper 0.2.0"));
  CHECK((contents_of(directory.path()) == before));
}

TEST_CASE("a start with a checkpoint of an unknown version is refused, and changes nothing") {
  Directory directory;
  directory.make_later(directory.checkpoint());
  check_refused(directory, directory.checkpoint(),
                "written by zabkeeper 0.4.0 at level 9 (label version 5), and this program reads "
                "label versions 1 to 2 (levels 0 to 3). Start a program that can run at level 9");
}

TEST_CASE(
    "a start with a checkpoint of an unknown version is refused also if the rest is damaged") {
  Directory directory;
  directory.make_later(directory.checkpoint());
  storage::Checkpoint file(directory.checkpoint());
  // The records' page cannot be read by its structure: the label can.
  const std::string root("\x02\0\0\0\0\0\0\0\x01", 9);
  std::string bytes = read_file(directory.checkpoint());
  const std::size_t at = bytes.find(root);
  REQUIRE(at != bytes.npos);
  bytes.replace(at, 9, std::string("\x09", 1) + root.substr(1));
  std::ofstream(directory.checkpoint(), std::ios::binary | std::ios::trunc) << bytes;
  REQUIRE(!file.probe().has_value());
  check_refused(directory, directory.checkpoint(), "written by zabkeeper 0.4.0 at level 9");
}

TEST_CASE("a start with a checkpoint of an unknown level is refused, and changes nothing") {
  Directory directory;
  directory.write_checkpoint(directory.checkpoint(), directory.label({7}));
  check_refused(directory, directory.checkpoint(),
                "written by zabkeeper 0.9.0 at level 7 (label version 2)");
}

TEST_CASE("a start with a stored snapshot of an unknown version is refused, and changes nothing") {
  Directory directory;
  const std::string incoming = IncomingSnapshot::path_beside(directory.checkpoint());
  directory.write_checkpoint(incoming, directory.label());
  directory.make_later(incoming);
  check_refused(directory, incoming, "written by zabkeeper 0.4.0 at level 9 (label version 5)");
}

TEST_CASE("a start with a log of an unknown version is refused, and changes nothing") {
  Directory directory;
  directory.make_segment_later();
  const std::string incoming = IncomingSnapshot::path_beside(directory.checkpoint());
  directory.write_checkpoint(incoming, directory.label());
  SUBCASE("beside a good checkpoint") {}
  SUBCASE("beside a damaged checkpoint, which is not set aside") {
    fs::resize_file(directory.checkpoint(), 4096);
  }
  check_refused(directory, directory.first_segment(),
                "written by another program (segment version 9)");
}

TEST_CASE("a start with a checkpoint of level 0 or 1 reads it") {
  for (const std::uint32_t level : {0u, 1u}) {
    CAPTURE(level);
    Directory directory;
    directory.write_checkpoint(directory.checkpoint(), directory.label({level}));
    const auto started = directory.start();
    REQUIRE_MESSAGE(started.has_value(), started.error().message);
    CHECK(!started->lost);
    CHECK(mentions(started->report, "a checkpoint at 0:0"));
  }
}

// Nothing but an intact label says which versions the file has.
TEST_CASE("a damaged checkpoint is set aside, also if the damage looks like another version") {
  Directory directory;
  const wire::Bytes label = encode(directory.label());
  wire::Bytes damaged = label;
  SUBCASE("the version of the label") {
    damaged[0] = 5;
    replace_in(directory.checkpoint(), label, damaged);
  }
  SUBCASE("the version of a node") {
    session::Service service;
    service.begin_image();
    std::vector<wire::StoredRecord> records;
    while (!service.collect_image(100, records)) {
    }
    wire::Bytes changed = *records.back().value;
    changed[0] = 9;
    replace_in(directory.checkpoint(), *records.back().value, changed);
  }
  const auto started = directory.start();
  REQUIRE_MESSAGE(started.has_value(), started.error().message);
  CHECK(started->lost);
  CHECK(
      mentions(started->report, "The file was renamed to " + directory.checkpoint() + ".damaged"));
  CHECK(fs::exists(directory.checkpoint() + ".damaged"));
  CHECK(!fs::exists(directory.checkpoint()));
}

}  // namespace
}  // namespace server
