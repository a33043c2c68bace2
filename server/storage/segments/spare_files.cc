#include "server/storage/segments/spare_files.h"

#include <algorithm>
#include <utility>

#include "wire/zxid.h"

namespace storage {
namespace {

constexpr std::string_view spare_prefix = "spare.";
constexpr std::string_view unfinished_spare = "spare.new";

// Whether this program gives spare files such names.
bool is_spare(std::string_view name) {
  if (name == unfinished_spare) return true;
  return name.starts_with(spare_prefix) &&
         wire::from_hex(name.substr(spare_prefix.size())).has_value();
}

// Syncs so often that the log's own syncs never wait for more than this.
constexpr std::uint64_t step_bytes = 2u << 20;

Result<void> fill(File& file, std::uint64_t bytes) {
  for (std::uint64_t at = 0; at < bytes;) {
    const std::uint64_t to = std::min(bytes, at + step_bytes);
    if (auto done = write_zeros(file, at, to); !done) return done;
    if (auto done = file.sync(); !done) return done;
    at = to;
  }
  return {};
}

}  // namespace

Result<void> SpareWork::run() const {
  const std::string unnamed = directory + '/' + std::string(unfinished_spare);
  auto file = files->create(unnamed);
  if (!file) return file.error();
  if (auto done = fill(**file, bytes); !done) {
    static_cast<void>(files->remove(unnamed));
    return done;
  }
  if (auto done = files->rename(unnamed, path); !done) return done;
  return files->sync_directory(directory);
}

SpareFiles::SpareFiles(FileSystem& files, std::string directory, const LogOptions& options)
    : files_(&files),
      directory_(std::move(directory)),
      segment_bytes_(options.segment_bytes),
      max_(options.spares) {}

Result<void> SpareFiles::remove_old() {
  const auto names = files_->list(directory_);
  if (!names) return names.error();
  for (const std::string& name : *names) {
    if (!is_spare(name)) continue;
    if (auto done = files_->remove(directory_ + '/' + name); !done) return done;
  }
  return {};
}

std::string SpareFiles::next_path() {
  return directory_ + '/' + std::string(spare_prefix) + wire::to_hex(++number_);
}

Result<void> SpareFiles::recycle(const std::string& path) {
  if (paths_.size() >= max_ || !has_useful_size(path)) return discard(path);
  std::string spare = next_path();
  if (auto done = files_->rename(path, spare); !done) return done;
  if (auto done = files_->sync_directory(directory_); !done) return done;
  paths_.push_back(std::move(spare));
  return {};
}

Result<void> SpareFiles::discard(const std::string& path) {
  if (auto done = files_->remove(path); !done) return done;
  return files_->sync_directory(directory_);
}

// A much smaller file saves little. A larger one was made for one large commit.
bool SpareFiles::has_useful_size(const std::string& path) const {
  const auto file = files_->open(path);
  if (!file) return false;
  const auto bytes = (*file)->size();
  return bytes && *bytes >= segment_bytes_ / 2 && *bytes <= segment_bytes_;
}

std::string SpareFiles::acquire() {
  failed_ = false;
  if (paths_.empty()) return {};
  std::string path = std::move(paths_.front());
  paths_.erase(paths_.begin());
  return path;
}

std::optional<SpareWork> SpareFiles::next_work() {
  if (working_ || failed_ || !paths_.empty() || max_ == 0) return std::nullopt;
  working_ = true;
  return SpareWork{files_, directory_, next_path(), segment_bytes_};
}

void SpareFiles::finish(const SpareWork& work, const Result<void>& done) {
  working_ = false;
  failed_ = !done;
  if (done) paths_.push_back(work.path);
}

}  // namespace storage
