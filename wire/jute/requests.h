#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "wire/requests.h"

// The requests of ZooKeeper's client protocol, parsed from frames. Most of them become requests of
// our own protocol, so that there is only one way into the tree.
namespace wire::jute {

enum class Opcode : std::int32_t {
  create = 1,
  remove = 2,
  exists = 3,
  get_data = 4,
  set_data = 5,
  get_acl = 6,
  set_acl = 7,
  get_children = 8,
  sync = 9,
  ping = 11,
  get_children2 = 12,
  check = 13,
  multi = 14,
  create2 = 15,
  reconfig = 16,
  check_watches = 17,
  remove_watches = 18,
  create_container = 19,
  create_ttl = 21,
  multi_read = 22,
  auth = 100,
  set_watches = 101,
  sasl = 102,
  get_ephemerals = 103,
  get_all_children_number = 104,
  set_watches2 = 105,
  add_watch = 106,
  who_am_i = 107,
  close_session = -11,
};

// The first frame of a connection.
struct Connect {
  ConnectRequest request;
  bool has_read_only = true;  // clients before ZooKeeper 3.4 neither send nor expect it
};
// Returns nothing if the frame is too short.
[[nodiscard]] std::optional<Connect> parse_connect(std::string_view frame);

struct Header {
  std::int32_t xid = 0;
  std::int32_t type = 0;  // may be no Opcode
};

// A request that is also one of our protocol. The reply needs `text`: sync repeats its path, and
// getEphemerals has a prefix.
struct Ask {
  Request request;
  std::optional<std::string> text = {};
};
// The operations of a multi, and the opcode of each, which decides the form of its result.
struct Multi {
  MultiRequest request;
  std::vector<Opcode> types;
};
// The reads of a multiRead, each with a result of its own.
struct MultiRead {
  std::vector<Request> reads;  // GetRequest or ChildrenRequest
};
struct AddWatch {
  std::string path;
  bool recursive = false;
};
struct ChangeWatches {  // checkWatches, removeWatches
  std::string path;
  std::int32_t type = 0;
};
struct SetWatches {
  std::int64_t since = 0;  // a zxid
  std::vector<std::string> data;
  std::vector<std::string> exist;
  std::vector<std::string> child;
  std::vector<std::string> persistent;
  std::vector<std::string> recursive;
};
// A request that is answered without a request of ours: with an error, or with `error` 0 and a
// body. After `closes_silently` the connection is closed without a reply.
struct Answer {
  enum class Then : std::uint8_t { goes_on, closes, closes_silently };

  std::int32_t error = 0;
  Then then = Then::goes_on;
  std::string body = {};
};

using Body = std::variant<Ask, Multi, MultiRead, AddWatch, ChangeWatches, SetWatches, Answer>;

struct ParsedRequest {
  Header header;
  Body body;
};
// A malformed request becomes an Answer with ZooKeeper's error. Returns nothing if the frame has no
// header; then the caller must close the connection.
[[nodiscard]] std::optional<ParsedRequest> parse_request(std::string_view frame);

}  // namespace wire::jute
