#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/config/config.h"

namespace server {

// One setting under its key. `number` is the N of a key such as server.N.
struct Named {
  std::string_view key;
  const Setting& setting;
  std::uint32_t number = 0;
};

// Inclusive.
struct Range {
  std::uint64_t least = 0;
  std::uint64_t most = 0;
};

// A configuration while its keys are being taken: what can be judged alone is in `config` already,
// what depends on other keys waits here.
struct ConfigBuilder {
  Config config;
  std::vector<std::string> notes;
  std::vector<std::string> complaints;

  std::optional<std::uint32_t> id;
  bool data_dir_said = false;
  bool web_host_said = false;
  bool web_port_said = false;
  std::optional<std::uint64_t> init_limit_ticks;
  std::optional<std::uint64_t> sync_limit_ticks;
  std::optional<std::uint64_t> min_session_ms;
  std::optional<std::uint64_t> max_session_ms;
  std::optional<std::uint64_t> preallocate_bytes;  // ZooKeeper's word for the size of a segment
  std::optional<std::uint64_t> segment_bytes;      // ours, which is stronger
  std::optional<std::uint64_t> jute_bytes;         // likewise
  std::optional<std::uint64_t> data_bytes;
  std::optional<bool> observer;                                // peerType
  std::map<std::uint32_t, ServerLine> servers;                 // by id
  std::map<std::uint32_t, std::vector<std::uint32_t>> groups;  // server ids by group
  std::map<std::uint32_t, std::uint32_t> weights;              // by server id
  std::map<std::uint32_t, Address> webs;                       // by server id

  // "conf/zoo.cfg:7: tickTime=abc " and then `what`.
  void complain(const Named& named, const std::string& what);

  // Nothing, and a complaint, if the value is no number or out of range.
  std::optional<std::uint64_t> number(const Named& named, Range range);
  // The same, but what is out of range becomes the nearest that is not, with a note: for values
  // that Apache ZooKeeper takes and that are no reason not to start.
  std::optional<std::uint64_t> clamped(const Named& named, std::uint64_t unit, Range range);

  void take_server(const Named& named);
  void take_group(const Named& named);
};

// "a, b" -> a and b, without the space around them.
[[nodiscard]] std::vector<std::string> split(std::string_view text, char separator);
[[nodiscard]] std::string_view trimmed(std::string_view text);

}  // namespace server
