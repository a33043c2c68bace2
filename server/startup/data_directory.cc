#include "server/startup/data_directory.h"

#include <cerrno>
#include <system_error>
#include <unistd.h>

namespace server {
namespace {

namespace fs = std::filesystem;

wire::Error refusal(const std::string& key, const fs::path& directory, const std::string& why) {
  return {wire::ErrorCode::system_error, key + "=" + directory.string() + ": " + why};
}

std::string who() { return "user " + std::to_string(::geteuid()) + ", who runs this server"; }

}  // namespace

wire::Result<void> prepare_directory(storage::FileSystem& files, const fs::path& directory,
                                     const std::string& key) {
  fs::path part;
  for (const fs::path& name : directory) {
    part /= name;
    std::error_code error;
    const fs::file_status status = fs::status(part, error);
    if (fs::is_directory(status)) continue;
    if (fs::exists(status)) {
      return refusal(key, directory, part.string() + " is no folder; choose another");
    }
    if (const auto made = files.make_directory(part.string()); !made) {
      return refusal(key, directory,
                     made.error().message + "; choose another, or make it and give it to " + who());
    }
  }
  if (::access(directory.c_str(), R_OK | W_OK | X_OK) != 0) {
    const int number = errno;
    return refusal(key, directory,
                   "cannot be written: " + std::generic_category().message(number) +
                       "; give it to " + who() + ", or choose another");
  }
  return {};
}

std::optional<std::string> foreign_data(const fs::path& directory) {
  std::error_code error;
  const fs::path theirs = directory / "version-2";
  if (!fs::is_directory(theirs, error)) return std::nullopt;
  return theirs.string() +
         " holds the data of Apache ZooKeeper: they are neither read nor touched here, and this "
         "server has a tree of its own";
}

}  // namespace server
