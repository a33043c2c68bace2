#include "server/storage/segments/extent.h"

#include <algorithm>
#include <array>
#include <utility>

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

std::optional<SegmentHeader> read_place(File& file, std::uint64_t place) {
  std::array<char, header_bytes> bytes{};
  const auto count = file.read(place * header_bytes, bytes);
  if (!count) return std::nullopt;
  const auto said = decode_header({bytes.data(), *count});
  return said ? std::optional(*said) : std::nullopt;
}

// The number of the next commit by what a place says; 0: it says nothing.
std::uint64_t reached(File& file, std::uint64_t place) {
  const auto said = read_place(file, place);
  return said ? said->first_commit : 0;
}

}  // namespace

Result<std::optional<SegmentHeader>> Extent::read(FileSystem& files, const std::string& directory,
                                                  zab::ServerId server) {
  const auto there = is_there(files, directory);
  if (!there) return there.error();
  std::optional<SegmentHeader> reached;
  if (!*there) return reached;
  auto file = files.open(directory + file_name);
  if (!file) return file.error();
  for (std::uint64_t place = 0; place < places; ++place) {
    const auto said = read_place(**file, place);
    if (!said || said->server != server) continue;
    if (!reached || said->first_commit > reached->first_commit) reached = said;
  }
  return reached;
}

Result<Extent> Extent::open(FileSystem& files, const std::string& directory) {
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
    return Extent(std::move(*file), 0);
  }
  const std::uint64_t older = reached(**file, 0) <= reached(**file, 1) ? 0 : 1;
  return Extent(std::move(*file), older);
}

Result<void> Extent::note(const SegmentHeader& reached) {
  const std::uint64_t place = std::exchange(place_, (place_ + 1) % places);
  return file_->write(place * header_bytes, encode(reached));
}

}  // namespace storage
