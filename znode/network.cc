#include "znode/network.h"

#include <charconv>

#include "wire/address.h"

namespace znode {
std::string address_bytes(std::string_view text) {
  if (text.find('%') != text.npos) return {};
  std::string bytes = wire::ip_bytes(text);
  const std::string_view mapped("\0\0\0\0\0\0\0\0\0\0\xFF\xFF", 12);
  return bytes.starts_with(mapped) ? bytes.substr(mapped.size()) : bytes;
}

std::optional<Network> Network::of(std::string_view text) {
  Network network;
  const std::size_t slash = text.find('/');
  network.bytes_ = address_bytes(text.substr(0, slash));
  if (network.bytes_.empty()) return std::nullopt;
  const auto all_bits = static_cast<unsigned>(8 * network.bytes_.size());
  network.bits_ = all_bits;
  if (slash == text.npos) return network;

  const std::string_view bits = text.substr(slash + 1);
  const auto [end, error] = std::from_chars(bits.data(), bits.data() + bits.size(), network.bits_);
  if (error != std::errc() || end != bits.data() + bits.size() || network.bits_ > all_bits) {
    return std::nullopt;
  }
  return network;
}

bool Network::contains(std::string_view address) const {
  return contains_bytes(address_bytes(address));
}

bool Network::contains_bytes(std::string_view bytes) const {
  if (bytes.size() != bytes_.size()) return false;
  for (unsigned bit = 0; bit < bits_; ++bit) {
    const unsigned mask = 0x80u >> (bit % 8);
    if (((static_cast<unsigned char>(bytes[bit / 8]) ^
          static_cast<unsigned char>(bytes_[bit / 8])) &
         mask) != 0) {
      return false;
    }
  }
  return true;
}

}  // namespace znode
