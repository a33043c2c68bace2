#include "tools/shell/replacement.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace shell {
namespace {

[[noreturn]] void throw_for(const std::string& file) {
  throw std::system_error(errno, std::generic_category(), file);
}

}  // namespace

// An open file. Its errors name the file.
class OpenFile {
 public:
  OpenFile(std::string name, int descriptor) : name_(std::move(name)), descriptor_(descriptor) {
    if (descriptor_ < 0) throw_for(name_);
  }
  ~OpenFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;

  [[nodiscard]] std::string read() const {
    std::string content;
    std::array<char, 64 * 1024> bytes{};
    for (;;) {
      const ssize_t size = ::read(descriptor_, bytes.data(), bytes.size());
      if (size == 0) return content;
      if (size > 0) content.append(bytes.data(), static_cast<std::size_t>(size));
      if (size < 0 && errno != EINTR) throw_for(name_);
    }
  }
  void write(std::string_view content) const {
    while (!content.empty()) {
      const ssize_t size = ::write(descriptor_, content.data(), content.size());
      if (size > 0) content.remove_prefix(static_cast<std::size_t>(size));
      if (size < 0 && errno != EINTR) throw_for(name_);
    }
  }
  // Sets the owner and mode of the former file, or those of a new file.
  void set_owner_and_mode(const struct stat* former) const {
    const mode_t mask = ::umask(0);
    ::umask(mask);
    // The owner comes first, because a change of the owner clears some bits of the mode.
    if (former != nullptr) (void)!::fchown(descriptor_, former->st_uid, former->st_gid);
    const mode_t mode = former != nullptr ? former->st_mode & 07777 : 0666 & ~mask;
    if (::fchmod(descriptor_, mode) != 0) throw_for(name_);
  }
  void sync() const {
    if (::fsync(descriptor_) != 0) throw_for(name_);
  }
  void close() {
    if (::close(std::exchange(descriptor_, -1)) != 0 && errno != EINTR) throw_for(name_);
  }

 private:
  std::string name_;
  int descriptor_;
};

std::optional<std::string> content_of(const std::string& file) {
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0 && errno == ENOENT) return std::nullopt;
  return OpenFile(file, descriptor).read();
}

Replacement::Replacement(const std::string& file, std::string_view content) : Replacement(file) {
  append(content);
  finish();
}

Replacement::Replacement(const std::string& file)
    : file_(std::filesystem::weakly_canonical(std::filesystem::absolute(file)).string()) {
  const std::filesystem::path path = file_;
  std::string name =
      (path.parent_path() / ("." + path.filename().string() + ".zab-XXXXXX")).string();
  const int descriptor = ::mkostemp(name.data(), O_CLOEXEC);
  if (descriptor < 0) throw_for(file_);  // the user knows this name
  open_ = std::make_unique<OpenFile>(name, descriptor);
  temporary_ = name;
}

void Replacement::append(std::string_view part) { open_->write(part); }

void Replacement::finish() {
  struct stat former {};
  const bool exists = ::stat(file_.c_str(), &former) == 0;
  if (!exists && errno != ENOENT) throw_for(file_);
  open_->set_owner_and_mode(exists ? &former : nullptr);
  open_->sync();
  open_->close();
}

Replacement::~Replacement() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void Replacement::replace() {
  if (::rename(temporary_.c_str(), file_.c_str()) != 0) throw_for(file_);
  temporary_.clear();
  const std::string directory = std::filesystem::path(file_).parent_path().string();
  OpenFile(directory, ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)).sync();
}

}  // namespace shell
