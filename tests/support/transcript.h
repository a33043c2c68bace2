#pragma once

#include <functional>
#include <istream>
#include <string>
#include <vector>

// A transcript is a story that people read and programs check: a command, a line `----`, what
// happened, an empty line. Lines that begin with # are remarks.
namespace support {

// Replays a story, and returns it with what really happens.
[[nodiscard]] std::string replay(std::istream& story,
                                 const std::function<std::string(const std::string&)>& run);

// Checks that the file tells what really happens. Where ZABKEEPER_REWRITE is set in the environment
// the file is rewritten instead; the difference is for a person to read.
void check_transcript(const std::string& path,
                      const std::function<std::string(const std::string&)>& run);

// The transcripts in a folder, by name.
[[nodiscard]] std::vector<std::string> transcripts_in(const std::string& folder);

}  // namespace support
