#include "server/storage/segments/extent.h"

#include <algorithm>
#include <array>
#include <utility>

namespace storage {
namespace {

constexpr const char* file_name = "/extent";
// Two slots, written in turn: while one is written, the content of the other is safe.
constexpr std::uint64_t slots = 2;

Result<bool> exists(FileSystem& files, const std::string& directory) {
  const auto names = files.list(directory);
  if (!names) return names.error();
  return std::ranges::binary_search(*names, std::string(file_name).substr(1));
}

// Nothing if the slot is not valid, or cannot be read. An error if it is of another version.
Result<std::optional<SegmentHeader>> read_slot(File& file, std::uint64_t slot) {
  std::array<char, header_bytes> bytes{};
  const auto count = file.read(slot * header_bytes, bytes);
  if (!count) return std::optional<SegmentHeader>();
  const auto header = decode_header({bytes.data(), *count});
  if (header) return std::optional(*header);
  if (header.error().code == wire::ErrorCode::unimplemented) return header.error();
  return std::optional<SegmentHeader>();
}

// The number of the next commit, from a slot; 0 if the slot is not valid.
std::uint64_t next_commit_in(File& file, std::uint64_t slot) {
  const auto header = read_slot(file, slot);
  return header && *header ? (*header)->first_commit : 0;
}

}  // namespace

Result<std::optional<SegmentHeader>> Extent::read(FileSystem& files, const std::string& directory,
                                                  zab::ServerId server) {
  const auto there = exists(files, directory);
  if (!there) return there.error();
  std::optional<SegmentHeader> reached;
  if (!*there) return reached;
  auto file = files.open(directory + file_name);
  if (!file) return file.error();
  for (std::uint64_t slot = 0; slot < slots; ++slot) {
    const auto header = read_slot(**file, slot);
    if (!header) {
      return wire::Error{header.error().code, directory + file_name + ": " +
                                                  header.error().message + ". Nothing was changed"};
    }
    if (!*header || (*header)->server != server) continue;
    if (!reached || (*header)->first_commit > reached->first_commit) reached = *header;
  }
  return reached;
}

Result<Extent> Extent::open(FileSystem& files, const std::string& directory) {
  const auto there = exists(files, directory);
  if (!there) return there.error();
  const std::string path = directory + file_name;
  auto file = *there ? files.open(path) : files.create(path);
  if (!file) return file.error();
  const auto bytes = (*file)->size();
  if (!bytes) return bytes.error();
  if (*bytes < slots * header_bytes) {
    const std::string zeros(slots * header_bytes - *bytes, '\0');
    if (auto done = (*file)->write(*bytes, zeros); !done) return done.error();
    if (auto done = (*file)->sync(); !done) return done.error();
    if (auto done = files.sync_directory(directory); !done) return done.error();
    return Extent(std::move(*file), 0);
  }
  const std::uint64_t older = next_commit_in(**file, 0) <= next_commit_in(**file, 1) ? 0 : 1;
  return Extent(std::move(*file), older);
}

Result<void> Extent::write(const SegmentHeader& reached) {
  const std::uint64_t slot = std::exchange(slot_, (slot_ + 1) % slots);
  return file_->write(slot * header_bytes, encode(reached));
}

}  // namespace storage
