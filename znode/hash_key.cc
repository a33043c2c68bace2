#include "znode/hash_key.h"

#include <cstring>

#include "znode/hash.h"

namespace znode {

HashKey::HashKey() : secret_{} {
  for (std::size_t at = 0; at < secret_.size(); at += sizeof(std::uint64_t)) {
    const std::uint64_t word = hash_of(std::array{std::uint64_t{at}});
    std::memcpy(secret_.data() + at, &word, sizeof word);
  }
}

TableHash HashKey::operator()(std::string_view text) const {
  return TableHash{static_cast<std::uint32_t>(
      XXH3_64bits_withSecret(text.data(), text.size(), secret_.data(), secret_.size()))};
}

}  // namespace znode
