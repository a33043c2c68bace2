#include "tools/shell/line_history.h"

#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include <editline/readline.h>

namespace shell {
namespace {

constexpr int lines_max = 10'000;

// Creates the file. Returns false if that fails; then nothing is kept.
bool make_private_file(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), error);
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) return false;
  const bool is_private = ::fchmod(descriptor, 0600) == 0;
  ::close(descriptor);
  return is_private;
}

}  // namespace

std::string history_path() {
  const char* state = std::getenv("XDG_STATE_HOME");
  if (state != nullptr && *state == '/') return std::string(state) + "/zabkeeper/history";
  const char* home = std::getenv("HOME");
  if (home == nullptr || *home == '\0') return {};
  return std::string(home) + "/.local/state/zabkeeper/history";
}

bool may_be_kept(const std::string& line) {
  const std::size_t first = line.find_first_not_of(" \t");
  if (first == std::string::npos) return false;
  const std::string_view text = std::string_view(line).substr(first);
  const bool is_auth =
      text.starts_with("auth") && (text.size() == 4 || text[4] == ' ' || text[4] == '\t');
  return !is_auth && text.find("--auth") == std::string::npos &&
         text.find("digest:") == std::string::npos;
}

LineHistory::LineHistory() : path_(history_path()) {
  using_history();
  stifle_history(lines_max);
  if (!path_.empty()) read_history(path_.c_str());
}

LineHistory::~LineHistory() {
  if (!path_.empty() && make_private_file(path_)) write_history(path_.c_str());
}

void LineHistory::add(const std::string& line) {
  if (may_be_kept(line)) add_history(line.c_str());
}

}  // namespace shell
