#include "tests/sim/checkpoint.h"

namespace sim {
namespace {

// The kind of bytes after the fixed part.
constexpr char padding_byte = 'x';
constexpr char image_byte = 'i';

std::uint64_t mixed(std::uint64_t value, std::uint64_t with) {
  value = (value ^ with) * 0x9e3779b97f4a7c15;
  return value ^ (value >> 32);
}

std::uint64_t checksum(std::string_view bytes) {
  std::uint64_t sum = bytes.size();
  for (const char byte : bytes) sum = mixed(sum, static_cast<unsigned char>(byte));
  return sum;
}

}  // namespace

Checkpoint Checkpoint::after(const zab::Txn& txn) const {
  return {txn.point(), count + 1, mixed(mixed(state, txn.zxid.bits()), checksum(*txn.payload)), {}};
}

wire::Bytes encode(const Checkpoint& checkpoint, std::size_t padding) {
  wire::Bytes out;
  wire::ByteWriter writer(out);
  writer.zxid(checkpoint.at.zxid);
  writer.integer(checkpoint.at.hash.low);
  writer.integer(checkpoint.at.hash.high);
  writer.integer(checkpoint.count);
  writer.integer(checkpoint.state);
  if (checkpoint.image) {
    writer.integer(image_byte);
    writer.raw(*checkpoint.image);
  } else {
    writer.raw(wire::Bytes(padding, padding_byte));
  }
  writer.integer(checksum(out));
  return out;
}

std::optional<Checkpoint> decode(std::string_view bytes) {
  if (bytes.size() < 8) return std::nullopt;
  const std::string_view content = bytes.substr(0, bytes.size() - 8);
  wire::ByteReader end(bytes.substr(content.size()));
  if (end.integer<std::uint64_t>() != checksum(content)) return std::nullopt;
  wire::ByteReader reader(content);
  Checkpoint checkpoint;
  checkpoint.at.zxid = reader.zxid();
  checkpoint.at.hash.low = reader.integer<std::uint64_t>();
  checkpoint.at.hash.high = reader.integer<std::uint64_t>();
  checkpoint.count = reader.integer<std::uint64_t>();
  checkpoint.state = reader.integer<std::uint64_t>();
  if (reader.failed()) return std::nullopt;
  if (reader.remaining() > 0 && reader.integer<char>() == image_byte) {
    checkpoint.image = std::make_shared<const wire::Bytes>(reader.raw(reader.remaining()));
  }
  return checkpoint;
}

}  // namespace sim
