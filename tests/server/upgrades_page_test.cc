#include <cstdint>
#include <fstream>
#include <map>
#include <string>

#include <doctest/doctest.h>

#include "server/version.h"
#include "tests/support/sources.h"
#include "wire/forms.h"

namespace server {
namespace {

// The first two cells of the rows of a table in docs/upgrades.md.
std::map<std::string, std::string> rows_of_table(const std::string& head) {
  std::ifstream page(support::source("docs/upgrades.md"));
  std::string line;
  while (std::getline(page, line) && line != head) {
  }
  std::getline(page, line);
  std::map<std::string, std::string> rows;
  while (std::getline(page, line) && line.starts_with("| ")) {
    const std::size_t end = line.find(" | ");
    rows[line.substr(2, end - 2)] = line.substr(end + 3, line.size() - end - 5);
  }
  return rows;
}

TEST_CASE("the page about upgrades has the levels of this program, and what each of them adds") {
  const std::string number = version;
  const std::string release = number.substr(0, number.rfind('.'));
  const wire::LevelRange& known = wire::known_levels;
  auto programs = rows_of_table("| program | levels |");
  CHECK(programs[release] ==
        std::to_string(known.least.value) + " to " + std::to_string(known.greatest.value));
  const auto levels = rows_of_table("| level | what it adds |");
  CHECK(levels.size() == known.greatest.value);
  for (std::uint32_t level = 1; level <= known.greatest.value; ++level) {
    CAPTURE(level);
    CHECK(levels.contains(std::to_string(level)));
  }
}

}  // namespace
}  // namespace server
