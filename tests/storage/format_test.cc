#include <algorithm>
#include <fstream>
#include <iomanip>
#include <sstream>

#include <doctest/doctest.h>

#include "tests/storage/script.h"

namespace storage::test {
namespace {

constexpr zab::ServerId example{3};
const std::string path = path_of(1);

std::string read_page() {
  std::ifstream file(ZABKEEPER_SOURCE_DIR "/server/storage/format/FORMAT.md");
  REQUIRE(file.is_open());
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// The lines between ```hex and ```: an offset, then bytes, then perhaps words behind a '|'.
std::string bytes_on(const std::string& page) {
  const std::size_t begin = page.find("```hex\n");
  REQUIRE(begin != std::string::npos);
  std::istringstream lines(page.substr(begin + 7, page.find("```", begin + 7) - begin - 7));
  std::string bytes;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line.substr(0, line.find('|')));
    std::size_t offset = 0;
    words >> std::hex >> offset;
    bytes.resize(std::max(bytes.size(), offset), '\0');
    for (unsigned byte = 0; words >> byte;) bytes += static_cast<char>(byte);
  }
  return bytes;
}

// For pasting into the page.
std::string dump(const std::string& bytes) {
  std::ostringstream out;
  out << std::hex << std::setfill('0');
  for (std::size_t row = 0; row < bytes.size(); row += 16) {
    const std::string part = bytes.substr(row, 16);
    if (part.find_first_not_of('\0') == std::string::npos) continue;
    out << '\n' << std::setw(4) << row << ' ';
    for (const char byte : part) {
      out << ' ' << std::setw(2) << static_cast<unsigned>(static_cast<unsigned char>(byte));
    }
  }
  return out.str();
}

TEST_CASE("FORMAT.md shows what the log writes, byte for byte, and what it reads") {
  Life life;
  sim::SimFileSystem disk(1);
  {
    auto opened = Log::open(disk, directory, example, {});
    REQUIRE(error_of(opened) == "");
    life.accept(1, 2);
    opened->log.stage(life.take());
    REQUIRE(error_of(opened->log.commit()) == "");
    life.adopt(1, {}, 1, 9);
    opened->log.stage(life.take());
    REQUIRE(error_of(opened->log.commit()) == "");
  }
  const std::string written = disk.contents(path);
  const std::string shown = bytes_on(read_page());
  CAPTURE(dump(written));
  CHECK((written.substr(0, shown.size()) == shown));
  CHECK(written.find_first_not_of('\0', shown.size()) == std::string::npos);

  sim::SimFileSystem other(1);
  other.plant(path, shown);
  const auto opened = Log::open(other, directory, example, {});
  REQUIRE(error_of(opened) == "");
  CHECK(words(opened->recovered) == words(life.state()));
  CHECK(*opened->recovered.history.after({})->payload == "payload 1");
}

}  // namespace
}  // namespace storage::test
