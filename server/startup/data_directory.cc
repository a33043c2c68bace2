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

std::string this_user() {
  return "user " + std::to_string(::geteuid()) + ", which runs this server";
}

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
      return refusal(key, directory, part.string() + " is not a directory; choose another");
    }
    if (const auto made = files.make_directory(part.string()); !made) {
      static_cast<void>(fs::current_path(error));
      if (error && directory.is_relative()) {
        return refusal(key, directory,
                       "it begins at the working directory, which is gone; start the server in a "
                       "directory that exists, or set an absolute path");
      }
      return refusal(
          key, directory,
          made.error().message + "; choose another, or make it and give it to " + this_user());
    }
  }
  if (::access(directory.c_str(), R_OK | W_OK | X_OK) != 0) {
    const int number = errno;
    return refusal(key, directory,
                   "cannot be written: " + std::generic_category().message(number) +
                       "; give it to " + this_user() + ", or choose another");
  }
  return {};
}

std::optional<std::string> foreign_data(const fs::path& directory) {
  std::error_code error;
  const fs::path zookeeper = directory / "version-2";
  if (!fs::is_directory(zookeeper, error)) return std::nullopt;
  return zookeeper.string() +
         " has the data of Apache ZooKeeper. This server neither reads nor changes it, and has its "
         "own tree";
}

}  // namespace server
