#include "server/storage/format/written_by.h"

namespace storage {
namespace {

std::string program_to_start(const std::optional<WrittenBy>& written) {
  if (!written || wire::known_levels.contains(written->level)) return "the program that wrote it";
  return "a program that can run at " + to_string(written->level);
}

}  // namespace

wire::Error unknown_version(const KnownVersions& known, std::uint32_t version,
                            const std::optional<WrittenBy>& written) {
  const std::string form(known.form);
  const bool named = written && !written->program.empty();
  std::string message = "written by " + (named ? written->program : "another program");
  if (written) message += " at " + to_string(written->level);
  message += " (" + form + " version " + std::to_string(version) + "), and this program reads " +
             form + " versions " + std::to_string(known.least) + " to " +
             std::to_string(known.greatest) + " (" + to_string(wire::known_levels) + "). Start " +
             program_to_start(written);
  return {wire::ErrorCode::unimplemented, std::move(message)};
}

}  // namespace storage
