#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace znode {

// The addresses that an ACL entry of scheme `ip` means: "10.0.0.0/8" is an address of either
// family, and how many of its bits count. An IPv4-mapped IPv6 address (::ffff:10.0.0.1) counts as
// the IPv4 address. Only `acl.h` uses it; it is apart because it has rules and tests of its own.
class Network {
 public:
  // Nothing unless `text` is an address or address/bits.
  [[nodiscard]] static std::optional<Network> of(std::string_view text);
  // False if `address` is not an IP address.
  [[nodiscard]] bool contains(std::string_view address) const;
  // Of an address in the form that `address_bytes` returns. By hand: Asio has networks, but this
  // room may not include Asio, which has sockets.
  [[nodiscard]] bool contains_bytes(std::string_view bytes) const;

 private:
  std::string bytes_;  // of the address: 4 or 16
  unsigned bits_ = 0;  // the leading bits that count
};

// The 4 or 16 bytes of an address; empty if `text` is none. A zone has a meaning on one machine
// only, and an ACL must mean the same on all: an address with a zone is none.
[[nodiscard]] std::string address_bytes(std::string_view text);

}  // namespace znode
