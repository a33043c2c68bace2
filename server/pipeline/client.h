#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "server/clients/handler.h"
#include "server/metrics/counters.h"
#include "session/request_order.h"
#include "wire/json.h"
#include "wire/replies.h"
#include "wire/requests.h"
#include "znode/identity.h"

namespace server {

// A read that waits for its turn, and who its client was when it came.
struct AskedRead {
  wire::ClientRequest request;
  znode::Identities identities;
  Asked asked;
};

// A reply that waits for its turn.
struct DueReply {
  wire::Reply reply;
  Asked asked;
};

// A connection, and the session that it speaks for.
struct Client {
  enum class State : std::uint8_t {
    silent,   // has not said connect
    waiting,  // has, and waits for this server to serve or to catch up
    opening,  // its session is being opened or moved
    open,
    ended,  // will be closed once what is queued has left
  };

  std::shared_ptr<ClientConnection> connection;
  std::uint64_t number = 0;  // session::Owner::connection
  State state = State::silent;
  std::uint32_t waited_ticks = 0;  // in `waiting`

  wire::ConnectRequest request;
  wire::RequestId request_id;  // of the connect
  std::string password;        // 32 hex digits; forgotten once the client has it
  std::int64_t timeout_ms = 0;
  wire::SessionId session;
  bool read_only = false;                   // opened without a quorum
  znode::Identities identities;             // grow with every `auth`
  std::optional<std::int64_t> last_number;  // of its writes, with `dedup`

  std::vector<wire::ParsedRequest> early;  // came before the session was there
  session::RequestOrder<DueReply, AskedRead> order;
  std::optional<std::pair<CloseCode, std::string>> farewell;  // once everything is answered
  std::size_t read_ahead = 0;  // replies in `order` that say already as of when they are
  bool paused = false;         // is not read from, for too much of it is outstanding
};

}  // namespace server
