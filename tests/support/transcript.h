#pragma once

#include <functional>
#include <istream>
#include <string>
#include <vector>

// A transcript is a file that people read and tests check. Each entry is a command, a line `----`,
// the output of the command, and an empty line. Lines that begin with # are comments.
namespace support {

// Runs the commands of a transcript. Returns it with the output that they really have.
[[nodiscard]] std::string replay(std::istream& transcript,
                                 const std::function<std::string(const std::string&)>& run);

// Checks that the commands in the file have the output that it shows. If ZABKEEPER_REWRITE is set
// in the environment, rewrites the file instead; review the difference.
void check_transcript(const std::string& path,
                      const std::function<std::string(const std::string&)>& run);

// The transcripts in a directory, by name.
[[nodiscard]] std::vector<std::string> transcripts_in(const std::string& directory);

}  // namespace support
