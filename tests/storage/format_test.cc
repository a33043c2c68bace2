#include <algorithm>
#include <fstream>
#include <iomanip>
#include <sstream>

#include <doctest/doctest.h>

#include "tests/storage/script.h"
#include "tests/support/sources.h"

namespace storage::test {
namespace {

constexpr zab::ServerId example{3};
const std::string first_path = path_of(1);

std::string read_page() {
  std::ifstream file(support::source("server/storage/format/FORMAT.md"));
  REQUIRE(file.is_open());
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// Parses the lines between ```hex and ```: an offset, bytes, and a comment behind a '|'.
std::string bytes_on(const std::string& page) {
  const std::size_t begin = page.find("```hex\n");
  REQUIRE(begin != std::string::npos);
  std::istringstream lines(page.substr(begin + 7, page.find("```", begin + 7) - begin - 7));
  std::string bytes;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line.substr(0, line.find('|')));
    std::size_t offset = 0;
    fields >> std::hex >> offset;
    bytes.resize(std::max(bytes.size(), offset), '\0');
    for (unsigned byte = 0; fields >> byte;) bytes += static_cast<char>(byte);
  }
  return bytes;
}

// The bytes in the form of the page, to update it.
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

TEST_CASE("the log writes and reads the exact bytes of the example in FORMAT.md") {
  Script script;
  sim::SimFileSystem disk(1);
  {
    auto opened = Log::open(disk, directory, example, {});
    REQUIRE(error_of(opened) == "");
    script.accept(1, 2);
    opened->log.stage(script.take_effects());
    REQUIRE(error_of(opened->log.commit()) == "");
    script.adopt(1, {}, 1, 9);
    opened->log.stage(script.take_effects());
    REQUIRE(error_of(opened->log.commit()) == "");
  }
  const std::string written = disk.contents(first_path);
  const std::string shown = bytes_on(read_page());
  CAPTURE(dump(written));
  CHECK((written.substr(0, shown.size()) == shown));
  CHECK(written.find_first_not_of('\0', shown.size()) == std::string::npos);

  sim::SimFileSystem other(1);
  other.plant(first_path, shown);
  const auto opened = Log::open(other, directory, example, {});
  REQUIRE(error_of(opened) == "");
  CHECK(describe(opened->recovered) == describe(script.state()));
  CHECK(*opened->recovered.history.after({})->payload == "payload 1");
}

}  // namespace
}  // namespace storage::test
