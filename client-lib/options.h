#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "client-lib/callback.h"
#include "client-lib/conversation.h"
#include "client-lib/error.h"
#include "client-lib/hosts.h"
#include "client-lib/session_event.h"
#include "wire/replies.h"
#include "wire/requests.h"

namespace zabkeeper {

// How many requests, and how many bytes of their paths and data. One request is always allowed.
struct Bound {
  std::size_t requests = 0;
  std::size_t bytes = 0;
};

struct Options {
  std::vector<Endpoint> servers = {Endpoint{{"127.0.0.1", 2180}}};
  // Also try the servers that the ensemble says it has.
  bool follow_servers = true;
  SessionOptions session = {};
  // For one attempt with one server, until it has accepted the session.
  std::chrono::milliseconds attempt_timeout{1'500};
  // How long requests that were not sent wait while no server accepts the session. They do not wait
  // if every server declines the WebSocket handshake with an HTTP status of 4xx.
  std::chrono::milliseconds offline_timeout{10'000};
  // The deadline of blocking calls, unless `within` gives them another; 0: none.
  std::chrono::milliseconds call_timeout{0};
  // Requests that are sent and not answered. With more than maxOutstandingRequests of the servers
  // (1000), the servers would forget results that `dedup` needs.
  Bound outstanding{1'000, 16 << 20};
  // Asynchronous calls that are begun and not completed. Calls beyond `outstanding` wait in
  // memory. Calls beyond this get Overloaded. A blocking call waits in any case.
  Bound begun{100'000, 256 << 20};
  Callback<SessionEvent> on_session = {};
};

struct CreateOptions {
  bool ephemeral = false;
  bool sequential = false;
  bool container = false;
  bool parents = false;
  std::optional<std::int64_t> ttl_ms = {};
  std::optional<wire::Acl> acl = {};
  // With `sequential`: also watch for the node's turn. If the reply says that it is not the node's
  // turn yet, one event follows: `turn`, `deleted` or `resync`.
  std::optional<wire::TurnOptions> turn = {};
};

struct WatchOptions {
  wire::WatchScope scope = wire::WatchScope::node;
  bool once = false;
  bool with_data = false;
  std::optional<wire::Zxid> from = {};
  wire::TurnOptions turn = {};  // with WatchScope::turn
};

// The type of the reply to each type of request.
template <typename Request>
using ReplyOf = typename Request::Reply;

// Gets the events of a watch. An error comes last. It says why the watch has ended.
using OnEvent = Callback<Result<wire::WatchEvent>>;

}  // namespace zabkeeper
