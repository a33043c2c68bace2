#include "server/config/config_builder.h"

#include <algorithm>
#include <charconv>

#include "server/config/text.h"
#include "server/config/zookeeper_keys.h"

namespace server {
namespace {

std::optional<std::uint64_t> whole_number(std::string_view text) {
  int base = 10;
  if (text.starts_with("0x") || text.starts_with("0X")) {
    text.remove_prefix(2);
    base = 16;
  }
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string describe(Range range) {
  return "a whole number from " + std::to_string(range.least) + " to " + std::to_string(range.most);
}

// host:peerPort[:electionPort][:participant|observer]
struct PeerPart {
  Address peer;
  std::optional<bool> observer;
};

std::optional<PeerPart> peer_part(std::string_view text) {
  PeerPart part;
  const std::size_t last = text.rfind(':');
  const std::string role = last == text.npos ? std::string() : lower(text.substr(last + 1));
  if (role == "participant" || role == "observer") {
    part.observer = role == "observer";
    text = text.substr(0, last);
  }
  // The election port is not used: elections use the peer port.
  const std::size_t host_end = text.starts_with('[') ? text.find(']') : 0;
  const std::size_t colon = text.find(':', std::min(host_end, text.size()));
  const std::size_t second = colon == std::string_view::npos ? colon : text.find(':', colon + 1);
  if (second != std::string_view::npos) {
    const auto election = whole_number(text.substr(second + 1));
    if (!election || *election > 65'535) return std::nullopt;
    text = text.substr(0, second);
  }
  const auto peer = wire::parse_address(text);
  if (!peer || peer->port == 0) return std::nullopt;
  part.peer = *peer;
  return part;
}

// [webHost:]webPort.
std::optional<Address> web_part(std::string_view text) {
  if (const auto port = whole_number(text)) {
    if (*port == 0 || *port > 65'535) return std::nullopt;
    return Address{{}, static_cast<std::uint16_t>(*port)};
  }
  const auto web = wire::parse_address(text);
  if (!web || web->port == 0) return std::nullopt;
  return *web;
}

}  // namespace

void ConfigBuilder::add_error(const NamedSetting& named, const std::string& what) {
  errors.push_back(named.setting.source + ": " + std::string(named.key) + "=" +
                   named.setting.value + " " + what);
}

std::optional<std::uint64_t> ConfigBuilder::number(const NamedSetting& named, Range range) {
  const auto value = whole_number(named.setting.value);
  if (value && *value >= range.least && *value <= range.most) return value;
  add_error(named, "is not " + describe(range));
  return std::nullopt;
}

std::optional<std::uint64_t> ConfigBuilder::id_number(const NamedSetting& named) {
  constexpr Range ids{1, 65'535};
  if (whole_number(named.setting.value) != 0U) return number(named, ids);
  add_error(named, "is not " + describe(ids) + std::string(ids_begin_at_one));
  return std::nullopt;
}

std::optional<std::uint64_t> ConfigBuilder::clamped(const NamedSetting& named, std::uint64_t unit,
                                                    Range range) {
  const auto value = whole_number(named.setting.value);
  if (!value) {
    add_error(named, "is not a whole number");
    return std::nullopt;
  }
  const std::uint64_t within = std::clamp(
      *value > range.most / unit ? range.most + 1 : *value * unit, range.least, range.most);
  if (*value > range.most / unit || *value * unit < range.least) {
    notes.push_back(named.setting.source + ": " + std::string(named.key) + "=" +
                    named.setting.value + " is out of range; " + std::to_string(within / unit) +
                    " is used");
  }
  return within;
}

void ConfigBuilder::add_server(const NamedSetting& named) {
  ServerLine line;
  line.id = named.number;
  std::string_view text = named.setting.value;
  if (const std::size_t end = text.find(';'); end != std::string_view::npos) {
    const std::vector<std::string> ports = split(text.substr(end + 1), ';');
    if (ports.size() > 1 && !ports[1].empty()) {
      return add_error(named, "has a port for TLS behind the second ';': " + std::string(no_tls));
    }
    const std::optional<Address> web = web_part(ports.front());
    if (!web) return add_error(named, "has no port behind the ';'; write, for example, ;2180");
    line.web = *web;
    text = text.substr(0, end);
  }

  const std::vector<std::string> alternatives = split(text, '|');
  for (auto address = alternatives.begin(); address != alternatives.end(); ++address) {
    const std::optional<PeerPart> part = peer_part(*address);
    if (!part) {
      return add_error(named,
                       "is not host:peerPort[:electionPort][:participant|observer][;webPort]");
    }
    if (address == alternatives.begin()) {
      line.peer = part->peer;
    } else {
      line.further.push_back(part->peer);
    }
    if (part->observer) line.observer = *part->observer;
  }
  servers[line.id] = line;
}

void ConfigBuilder::add_group(const NamedSetting& named) {
  std::vector<std::uint32_t>& group = groups[named.number];
  for (const std::string& member : split(named.setting.value, ':')) {
    const auto server_id = whole_number(member);
    if (!server_id || *server_id == 0 || *server_id > 65'535) {
      return add_error(named, "is not a list of server numbers such as 1:2:3" +
                                  std::string(server_id == 0U ? ids_begin_at_one : ""));
    }
    group.push_back(static_cast<std::uint32_t>(*server_id));
  }
}

}  // namespace server
