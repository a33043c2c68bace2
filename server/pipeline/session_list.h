#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "server/pipeline/client_index.h"
#include "session/service.h"

namespace server {

// An open session, for operators.
struct ListedSession {
  // Known only where its client is connected.
  struct Connection {
    std::string address;
    std::size_t watches = 0;
    std::size_t outstanding = 0;  // requests that are not answered yet
  };

  wire::SessionId id;
  std::int64_t timeout_ms = 0;
  std::uint32_t server = 0;  // its client's last one; 0: no client may use the session any more
  std::size_t ephemerals = 0;
  std::optional<Connection> connection = {};  // to this server
};

struct SessionPageRequest {
  wire::SessionId after;             // the page begins after this id
  std::optional<std::uint32_t> at;   // only sessions whose client connected to this server last
  std::size_t looked_at_max = 1000;  // sessions; a page has no more than these
};

// A part of all open sessions, in the order of their ids.
struct SessionPage {
  std::vector<ListedSession> sessions;
  std::optional<wire::SessionId> next;  // `after` of the next page; none: this is the last one
};

// `self`: the id of this server.
[[nodiscard]] SessionPage list_sessions(std::uint32_t self, const session::Service& service,
                                        const ClientIndex& clients,
                                        const SessionPageRequest& request);

}  // namespace server
