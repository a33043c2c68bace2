#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/config/config.h"
#include "server/config/settings.h"

namespace server {

// A setting with its key. `number` is the N of a key such as server.N.
struct NamedSetting {
  std::string_view key;
  const Setting& setting;
  std::uint32_t number = 0;
};

// Inclusive.
struct Range {
  std::uint64_t least = 0;
  std::uint64_t most = 0;
};

// Why there is no server 0, for the end of an error.
inline constexpr std::string_view ids_begin_at_one =
    ": ids begin at 1, because 0 stands for no server; number the servers from 1 in every "
    "configuration and myid";

// A configuration in the making. A value that can be checked alone is in `config` at once. A value
// that depends on other keys is kept in another member until all keys are read.
struct ConfigBuilder {
  Config config;
  std::vector<std::string> notes;
  std::vector<std::string> errors;

  std::optional<std::uint32_t> id;
  bool data_dir_set = false;
  bool web_host_set = false;
  bool web_port_set = false;
  bool client_host_set = false;
  bool words_set = false;
  std::optional<std::uint64_t> init_limit_ticks;
  std::optional<std::uint64_t> sync_limit_ticks;
  std::optional<std::uint64_t> min_session_ms;
  std::optional<std::uint64_t> max_session_ms;
  std::optional<std::uint64_t> preallocate_bytes;  // preAllocSize
  std::optional<std::uint64_t> segment_bytes;      // logSegmentBytes, which overrides it
  std::optional<std::uint64_t> jute_bytes;         // jute.maxbuffer
  std::optional<std::uint64_t> reply_bytes;
  std::optional<std::uint64_t> data_bytes;           // maxDataBytes, which overrides it
  std::optional<std::uint64_t> container_idle_ms;    // containerIdleMs
  std::optional<std::uint64_t> container_unused_ms;  // containerUnusedMs
  std::optional<std::uint64_t> check_interval_ms;    // znode.container.checkIntervalMs
  std::optional<std::uint64_t> never_used_ms;        // znode.container.maxNeverUsedIntervalMs
  std::optional<bool> observer;                      // peerType
  std::map<std::uint32_t, ServerLine> servers;       // by id
  std::map<std::uint32_t, std::vector<std::uint32_t>> groups;  // server ids by group
  std::map<std::uint32_t, std::uint32_t> weights;              // by server id
  std::map<std::uint32_t, Address> webs;                       // by server id

  // Adds the error "conf/zoo.cfg:7: tickTime=abc " + `what`.
  void add_error(const NamedSetting& named, const std::string& what);

  // Nothing, and an error, if the value is not a number or out of range.
  std::optional<std::uint64_t> number(const NamedSetting& named, Range range);
  // Of a server: from 1 to 65535.
  std::optional<std::uint64_t> id_number(const NamedSetting& named);
  // The same, but a number out of range becomes the nearest one in range, with a note. For values
  // that Apache ZooKeeper accepts: they are no reason not to start. The setting counts `unit`s.
  std::optional<std::uint64_t> clamped(const NamedSetting& named, std::uint64_t unit, Range range);

  void add_server(const NamedSetting& named);
  void add_group(const NamedSetting& named);
};

}  // namespace server
