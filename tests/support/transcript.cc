#include "tests/support/transcript.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <doctest/doctest.h>

namespace support {

std::string replay(std::istream& transcript,
                   const std::function<std::string(const std::string&)>& run) {
  std::string actual;
  std::string line;
  while (std::getline(transcript, line)) {
    actual += line + '\n';
    if (line.empty() || line[0] == '#') continue;
    const std::string command = line;
    while (std::getline(transcript, line) && !line.empty()) {  // the ---- and the expected output
    }
    std::string output = run(command);
    if (!output.empty() && output.back() != '\n') output += '\n';
    actual += "----\n" + output;
    if (transcript) actual += '\n';
  }
  return actual;
}

void check_transcript(const std::string& path,
                      const std::function<std::string(const std::string&)>& run) {
  CAPTURE(path);
  std::ifstream in(path);
  REQUIRE(in);
  std::stringstream text;
  text << in.rdbuf();
  const std::string expected = text.str();
  const std::string actual = replay(text, run);
  if (actual == expected) return;
  if (std::getenv("ZABKEEPER_REWRITE") != nullptr) {
    std::ofstream(path) << actual;
    return;
  }
  const auto differs = std::ranges::mismatch(actual, expected).in1;
  const auto line = 1 + std::count(actual.begin(), differs, '\n');
  FAIL_CHECK(path << ":" << line
                  << ": the output is different; if that is right, run tools/dev rewrite\n"
                  << actual);
}

std::vector<std::string> transcripts_in(const std::string& directory) {
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    if (entry.path().extension() == ".txt") paths.push_back(entry.path().string());
  }
  std::ranges::sort(paths);
  return paths;
}

}  // namespace support
