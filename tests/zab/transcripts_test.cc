#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <string>

#include <doctest/doctest.h>

#include "tests/support/sources.h"
#include "tests/support/transcript.h"
#include "tests/zab/scripted_ensemble.h"

namespace {

const std::filesystem::path transcripts = support::source("tests/zab/transcripts");

std::string text_of(const std::filesystem::path& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

TEST_CASE("every transcript of zab has the output that it shows") {
  for (const std::string& path : support::transcripts_in(transcripts)) {
    ScriptedEnsemble ensemble;
    support::check_transcript(path,
                              [&](const std::string& command) { return ensemble.run(command); });
  }
}

TEST_CASE("the transcripts that docs/reliability.md names exist") {
  const std::string page = text_of(support::source("docs/reliability.md"));
  const std::regex name("`([a-z_]+\\.txt)`");
  std::size_t named = 0;
  for (std::sregex_iterator found(page.begin(), page.end(), name), end; found != end; ++found) {
    const std::string transcript = (*found)[1];
    CAPTURE(transcript);
    if (transcript == "regressions.txt") continue;
    CHECK(std::filesystem::exists(transcripts / transcript));
    named += 1;
  }
  CHECK(named >= 44);
}

// The page names them like this: `tests/a/b_test.cc` "title".
TEST_CASE("the tests that docs/reliability.md names exist") {
  const std::string page = text_of(support::source("docs/reliability.md"));
  const std::regex name("`(tests/[a-z_/-]+\\.(?:cc|py))`(?: \"([^\"]+)\")?");
  std::size_t cases = 0;
  for (std::sregex_iterator found(page.begin(), page.end(), name), end; found != end; ++found) {
    const std::string path = (*found)[1];
    const std::string title = (*found)[2];
    CAPTURE(path);
    CAPTURE(title);
    CHECK(std::filesystem::exists(support::source(path)));
    if (title.empty()) continue;
    const bool is_case = path.ends_with(".cc");
    const std::string named = is_case ? "TEST_CASE(\"" + title : "def " + title + "(";
    CHECK(text_of(support::source(path)).find(named) != std::string::npos);
    cases += 1;
  }
  CHECK(cases >= 30);

  INFO("every scenario has a row");
  for (int number = 1; number <= 69; ++number) {
    CAPTURE(number);
    CHECK(page.find("\n| " + std::to_string(number) + " | ") != std::string::npos);
  }
}
