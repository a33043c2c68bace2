#include <doctest/doctest.h>

#include "tests/support/transcript.h"
#include "tests/zab/stage.h"

TEST_CASE("the stories of zab go as they are told") {
  for (const std::string& path :
       support::transcripts_in(ZABKEEPER_SOURCE_DIR "/tests/zab/transcripts")) {
    Stage stage;
    support::check_transcript(path, [&](const std::string& command) { return stage.run(command); });
  }
}
