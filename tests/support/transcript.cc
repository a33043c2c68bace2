#include "tests/support/transcript.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <doctest/doctest.h>

namespace support {

std::string replay(std::istream& story, const std::function<std::string(const std::string&)>& run) {
  std::string actual;
  std::string line;
  while (std::getline(story, line)) {
    actual += line + '\n';
    if (line.empty() || line[0] == '#') continue;
    const std::string command = line;
    while (std::getline(story, line) && !line.empty()) {  // the ---- and what was expected
    }
    std::string happened = run(command);
    if (!happened.empty() && happened.back() != '\n') happened += '\n';
    actual += "----\n" + happened;
    if (story) actual += '\n';
  }
  return actual;
}

void check_transcript(const std::string& path,
                      const std::function<std::string(const std::string&)>& run) {
  CAPTURE(path);
  std::ifstream in(path);
  REQUIRE(in);
  std::stringstream told;
  told << in.rdbuf();
  const std::string expected = told.str();
  const std::string actual = replay(told, run);
  if (actual == expected) return;
  if (std::getenv("ZABKEEPER_REWRITE") != nullptr) {
    std::ofstream(path) << actual;
    return;
  }
  const auto differs = std::ranges::mismatch(actual, expected).in1;
  const auto line = 1 + std::count(actual.begin(), differs, '\n');
  FAIL_CHECK(path << ":" << line << ": the story goes differently (tools/dev rewrite)\n" << actual);
}

std::vector<std::string> transcripts_in(const std::string& folder) {
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".txt") paths.push_back(entry.path().string());
  }
  std::ranges::sort(paths);
  return paths;
}

}  // namespace support
