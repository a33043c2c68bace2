#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <string>

#include <doctest/doctest.h>

#include "tests/support/transcript.h"
#include "tests/zab/stage.h"

namespace {

const std::string transcripts = ZABKEEPER_SOURCE_DIR "/tests/zab/transcripts";

}  // namespace

TEST_CASE("the stories of zab go as they are told") {
  for (const std::string& path : support::transcripts_in(transcripts)) {
    Stage stage;
    support::check_transcript(path, [&](const std::string& command) { return stage.run(command); });
  }
}

TEST_CASE("the stories that docs/reliability.md names are there") {
  std::ifstream in(ZABKEEPER_SOURCE_DIR "/docs/reliability.md");
  REQUIRE(in);
  const std::string page{std::istreambuf_iterator<char>(in), {}};
  const std::regex name("`([a-z_]+\\.txt)`");
  std::size_t named = 0;
  for (std::sregex_iterator found(page.begin(), page.end(), name), end; found != end; ++found) {
    const std::string story = (*found)[1];
    CAPTURE(story);
    if (story == "regressions.txt") continue;
    CHECK(std::filesystem::exists(transcripts + '/' + story));
    named += 1;
  }
  CHECK(named >= 44);
}
