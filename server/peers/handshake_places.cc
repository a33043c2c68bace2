#include "server/peers/handshake_places.h"

#include <algorithm>

namespace server {

void HandshakePlaces::expect(const std::vector<Address>& addresses) {
  servers_.clear();
  for (const Address& address : addresses) servers_[plain(address)] += 1;
}

bool HandshakePlaces::is_expected(const Address& from) const {
  return servers_.contains(plain(from));
}

std::optional<HandshakePlaces::Entry> HandshakePlaces::enter(const Address& from) {
  const Address address = plain(from);
  const auto servers = servers_.find(address);
  const bool expected = servers != servers_.end();
  const Bounds bounds =
      expected ? Bounds{of_servers.all, of_servers.of_one_address + servers->second} : of_strangers;

  const auto same_kind = [&](const auto& one) { return is_expected(one.second.from) == expected; };
  const auto same_address = [&](const auto& one) { return one.second.from == address; };
  const auto count = [&](const auto& which) {
    return static_cast<std::size_t>(std::ranges::count_if(under_way_, which));
  };
  const bool address_is_full = count(same_address) >= bounds.of_one_address;

  Entry entry{last_ + 1, std::nullopt};
  if (address_is_full || count(same_kind) >= bounds.all) {
    const auto silent = std::ranges::find_if(under_way_, [&](const auto& one) {
      return !one.second.greeted && (address_is_full ? same_address(one) : same_kind(one));
    });
    if (silent == under_way_.end()) return std::nullopt;
    entry.displaced = silent->first;
    under_way_.erase(silent);
  }
  under_way_[entry.number] = {address};
  last_ = entry.number;
  return entry;
}

void HandshakePlaces::greeted(Number number) {
  if (const auto found = under_way_.find(number); found != under_way_.end()) {
    found->second.greeted = true;
  }
}

void HandshakePlaces::leave(Number number) { under_way_.erase(number); }

HandshakePlaces::Address plain(const HandshakePlaces::Address& address) {
  namespace ip = boost::asio::ip;
  if (!address.is_v6() || !address.to_v6().is_v4_mapped()) return address;
  return ip::make_address_v4(ip::v4_mapped, address.to_v6());
}

}  // namespace server
