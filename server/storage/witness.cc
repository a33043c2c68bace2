#include "server/storage/witness.h"

#include <algorithm>
#include <array>

namespace storage {
namespace {

constexpr const char* file_name = "/extent";
// Two places that take turns, so that what one said is there while the other is written.
constexpr std::uint64_t places = 2;

Result<bool> is_there(FileSystem& files, const std::string& directory) {
  const auto names = files.list(directory);
  if (!names) return names.error();
  return std::ranges::binary_search(*names, std::string(file_name).substr(1));
}

}  // namespace

Result<std::optional<SegmentHeader>> Witness::read(FileSystem& files, const std::string& directory,
                                                   zab::ServerId server) {
  const auto there = is_there(files, directory);
  if (!there) return there.error();
  std::optional<SegmentHeader> reached;
  if (!*there) return reached;
  auto file = files.open(directory + file_name);
  if (!file) return file.error();
  std::array<char, header_bytes> octets{};
  for (std::uint64_t place = 0; place < places; ++place) {
    const auto count = (*file)->read(place * header_bytes, octets);
    if (!count) continue;
    const auto said = decode_header({octets.data(), *count});
    if (!said || said->server != server) continue;
    if (!reached || said->first_commit > reached->first_commit) reached = *said;
  }
  return reached;
}

Result<Witness> Witness::open(FileSystem& files, const std::string& directory) {
  const auto there = is_there(files, directory);
  if (!there) return there.error();
  const std::string path = directory + file_name;
  auto file = *there ? files.open(path) : files.create(path);
  if (!file) return file.error();
  const auto bytes = (*file)->size();
  if (!bytes) return bytes.error();
  if (*bytes < places * header_bytes) {
    const std::string nothing(places * header_bytes - *bytes, '\0');
    if (auto done = (*file)->write(*bytes, nothing); !done) return done.error();
    if (auto done = (*file)->sync(); !done) return done.error();
    if (auto done = files.sync_directory(directory); !done) return done.error();
  }
  return Witness(std::move(*file));
}

Result<void> Witness::note(const SegmentHeader& reached) {
  return file_->write(reached.first_commit % places * header_bytes, encode(reached));
}

}  // namespace storage
