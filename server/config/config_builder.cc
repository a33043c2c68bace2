#include "server/config/config_builder.h"

#include <algorithm>
#include <charconv>

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

std::string words(Range range) {
  return "a whole number from " + std::to_string(range.least) + " to " + std::to_string(range.most);
}

// host:peerPort[:electionPort][:participant|observer]
struct PeerPart {
  Address peer;
  std::optional<bool> observer;
};

std::optional<PeerPart> peer_part(std::string_view text) {
  PeerPart part;
  if (text.ends_with(":participant") || text.ends_with(":observer")) {
    part.observer = text.ends_with(":observer");
    text = text.substr(0, text.rfind(':'));
  }
  // The election port: elections share the peer port here.
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

// [webHost:]webPort; ZooKeeper's third part, for TLS, is read over.
std::optional<Address> web_part(std::string_view text) {
  if (const auto port = whole_number(text)) {
    if (*port == 0 || *port > 65'535) return std::nullopt;
    return Address{{}, static_cast<std::uint16_t>(*port)};
  }
  const auto web = wire::parse_address(text);
  if (!web || web->port == 0) return std::nullopt;
  return web;
}

}  // namespace

std::string_view trimmed(std::string_view text) {
  const auto is_space = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\f'; };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (;;) {
    const std::size_t end = text.find(separator);
    parts.emplace_back(trimmed(text.substr(0, end)));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

void ConfigBuilder::complain(const Named& named, const std::string& what) {
  complaints.push_back(named.setting.place + ": " + std::string(named.key) + "=" +
                       named.setting.value + " " + what);
}

std::optional<std::uint64_t> ConfigBuilder::number(const Named& named, Range range) {
  const auto value = whole_number(named.setting.value);
  if (value && *value >= range.least && *value <= range.most) return value;
  complain(named, "is not " + words(range));
  return std::nullopt;
}

std::optional<std::uint64_t> ConfigBuilder::clamped(const Named& named, std::uint64_t unit,
                                                    Range range) {
  const auto value = whole_number(named.setting.value);
  if (!value) {
    complain(named, "is not a whole number");
    return std::nullopt;
  }
  const std::uint64_t within = std::clamp(
      *value > range.most / unit ? range.most + 1 : *value * unit, range.least, range.most);
  if (*value > range.most / unit || *value * unit < range.least) {
    notes.push_back(named.setting.place + ": " + std::string(named.key) + "=" +
                    named.setting.value + " counts as " + std::to_string(within / unit));
  }
  return within;
}

void ConfigBuilder::take_server(const Named& named) {
  ServerLine line;
  line.id = named.number;
  std::string_view text = named.setting.value;
  if (const std::size_t end = text.find(';'); end != std::string_view::npos) {
    const std::optional<Address> web = web_part(split(text.substr(end + 1), ';').front());
    if (!web) return complain(named, "has no port behind the ';', such as ;2180");
    line.web = *web;
    text = text.substr(0, end);
  }

  const std::vector<std::string> alternatives = split(text, '|');
  for (auto address = alternatives.begin(); address != alternatives.end(); ++address) {
    const std::optional<PeerPart> part = peer_part(*address);
    if (!part) {
      return complain(named,
                      "is not host:peerPort[:electionPort][:participant|observer][;webPort]");
    }
    if (address == alternatives.begin()) line.peer = part->peer;
    if (part->observer) line.observer = *part->observer;
  }
  if (alternatives.size() > 1) {
    notes.push_back(named.setting.place + ": of the addresses of " + std::string(named.key) +
                    " the first is used, " + to_string(line.peer));
  }
  servers[line.id] = line;
}

void ConfigBuilder::take_group(const Named& named) {
  std::vector<std::uint32_t>& group = groups[named.number];
  for (const std::string& member : split(named.setting.value, ':')) {
    const auto server_id = whole_number(member);
    if (!server_id || *server_id == 0 || *server_id > 65'535) {
      return complain(named, "is not a list of server numbers such as 1:2:3");
    }
    group.push_back(static_cast<std::uint32_t>(*server_id));
  }
}

}  // namespace server
