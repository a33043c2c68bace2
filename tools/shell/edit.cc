#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <fcntl.h>
#include <string>
#include <system_error>
#include <unistd.h>
#include <utility>

#include "tools/shell/child.h"
#include "tools/shell/editing.h"
#include "tools/shell/print.h"
#include "tools/shell/replacement.h"
#include "tools/shell/requests.h"
#include "tools/shell/signals.h"
#include "tools/shell/words.h"
#include "wire/utf8.h"

namespace shell {
namespace {

using wire::ErrorCode;

[[noreturn]] void throw_for_file(const std::string& file) {
  throw std::system_error(errno, std::generic_category(), file);
}

// A file that only its user may read. The destructor removes it, unless `keep` was called.
class PrivateFile {
 public:
  PrivateFile(const std::string& suffix, std::string_view content) {
    const char* directory = std::getenv("TMPDIR");
    name_ = std::string(directory != nullptr && *directory != 0 ? directory : "/tmp") +
            "/zab-edit-XXXXXX" + suffix;
    const int descriptor =
        ::mkostemps(name_.data(), static_cast<int>(suffix.size()), O_CLOEXEC);  // mode 0600
    if (descriptor < 0) throw_for_file(name_);
    const bool is_written = write_all(descriptor, content);
    const int error = errno;
    ::close(descriptor);
    if (is_written) return;
    ::unlink(name_.c_str());
    errno = error;
    throw_for_file(name_);
  }
  ~PrivateFile() {
    if (!is_kept_) ::unlink(name_.c_str());
  }
  PrivateFile(const PrivateFile&) = delete;
  PrivateFile& operator=(const PrivateFile&) = delete;

  [[nodiscard]] const std::string& name() const { return name_; }
  void keep() { is_kept_ = true; }

 private:
  static bool write_all(int descriptor, std::string_view content) {
    while (!content.empty()) {
      const ssize_t size = ::write(descriptor, content.data(), content.size());
      if (size > 0) content.remove_prefix(static_cast<std::size_t>(size));
      if (size < 0 && errno != EINTR) return false;
    }
    return true;
  }

  std::string name_;
  bool is_kept_ = false;
};

Words editor() {
  for (const char* variable : {"VISUAL", "EDITOR"}) {
    const char* value = std::getenv(variable);
    if (value == nullptr || *value == 0) continue;
    auto words = split_words(value);
    if (words.has_error()) {
      throw Ended{exit_usage, std::string(variable) + ": " + words.error().message};
    }
    if (!words->empty()) return std::move(*words);
  }
  return {"vi"};
}

// Runs the editor, and returns its exit code. Signals of the terminal are for the editor, and do
// not end this program.
int run_editor(const std::string& file) {
  Words words = editor();
  words.push_back(file);
  (void)find_program(words.front());
  Signals signals;
  Child child({words, {}, {}, Place::same_group});
  for (;;) {
    if (const auto code = child.exit_code()) return *code;
    while (const auto caught = signals.next()) {
      if (!caught->is_from_terminal) child.signal(caught->number);
    }
    signals.wakeup()->wait_until(std::chrono::steady_clock::time_point::max());
  }
}

bool is_conflict(ErrorCode code) {
  return code == ErrorCode::bad_version || code == ErrorCode::condition_failed ||
         code == ErrorCode::no_node;
}

}  // namespace

void Runner::on(const Edit& edit) try {
  const std::string path = absolute(edit.path);
  const wire::GetReply former = ask(wire::GetRequest{path, {}}, path, Echo::quiet);
  if (!wire::is_utf8(former.data)) {
    throw Ended{exit_usage, path + ": its data are no text: use `get` and `set` with a file"};
  }
  PrivateFile file(suffix_of(path), former.data);
  const int code = run_editor(file.name());
  const std::string edited =
      without_added_newline(content_of(file.name()).value_or(former.data), former.data);
  if (edited == former.data) {
    if (code != exit_ok)
      throw Ended{exit_other, "the editor failed, exit code " + std::to_string(code)};
    err_ << path << " is not changed\n";
    return;
  }
  file.keep();
  try {
    if (code != exit_ok)
      throw Ended{exit_other, "the editor failed, exit code " + std::to_string(code)};
    set_edited(path, former, edited);
  } catch (...) {
    err_ << path << " is not changed by this command; what you have edited is in " << file.name()
         << '\n';
    throw;
  }
  ::unlink(file.name().c_str());
} catch (const std::system_error& failed) {
  throw Ended{exit_other, failed.what()};
}

// Sets the data only if nobody else has changed the node. A new node at this path counts as a
// change, even if it has the same version.
void Runner::set_edited(const std::string& path, const wire::GetReply& former,
                        const std::string& data) {
  wire::Condition unchanged{path, former.stat.version, {}};
  unchanged.tests.mzxid = former.stat.mzxid;
  const auto reply =
      client_().ask(wire::SetRequest{path, data, former.stat.version}, {}, {unchanged});
  if (!reply.result.has_error()) {
    if (json_) print_json(wire::Reply{{}, reply.zxid, {}, reply.result});
    return;
  }
  if (!is_conflict(reply.result.error().code)) {
    throw Refused{reply.result.error(), path, Effect::write, reply.zxid};
  }
  const wire::GetReply present = ask(wire::GetRequest{path, {}}, path, Echo::quiet);
  err_ << path << " was changed at " << time_text(present.stat.mtime)
       << " (UTC), while you edited it:\n"
       << change_text(former.data, wire::is_utf8(present.data) ? present.data : "(binary data)");
  throw Refused{{ErrorCode::bad_version, {}}, path, Effect::write, reply.zxid};
}

}  // namespace shell
