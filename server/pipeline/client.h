#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "server/budgets/ledger.h"
#include "server/clients/handler.h"
#include "server/metrics/counters.h"
#include "server/pipeline/slices.h"
#include "server/pipeline/touch_intervals.h"
#include "session/request_order.h"
#include "wire/json.h"
#include "wire/replies.h"
#include "wire/requests.h"
#include "wire/result.h"
#include "znode/identity.h"

namespace server {

// The arrival of a request.
struct Arrival {
  SteadyClock::time_point at;  // of its frame
  std::uint32_t bytes = 0;     // its part of the frame
};

// Values for the metrics and budgets, kept for each request until its reply is sent.
struct RequestTiming {
  Arrival arrived;
  Effort effort = Effort::local;
};

// A read in a client's request order.
struct QueuedRead {
  wire::ClientRequest request;
  znode::Identities identities;  // those that its client had when the read came
  RequestTiming timing;
  wire::Zxid at_least = {};  // must be applied before the read is performed
};

// A reply in a client's request order.
struct QueuedReply {
  wire::Reply reply;
  RequestTiming timing;
  std::uint32_t kept_bytes = 0;  // while it waits in the order
  // The turn that a create asks for. It is told when the reply is sent.
  std::unique_ptr<wire::TurnOptions> turn = {};
};

// A connection, and the session that it belongs to.
struct Client {
  enum class State : std::uint8_t {
    connected,  // has not sent `connect`
    waiting,    // has sent `connect`, and waits for this server to serve or to catch up
    opening,    // its session is being opened or moved
    open,
    ended,  // will be closed once what is queued is sent
  };

  // How long the reads of a client wait: until the index that the next one needs is there, until
  // its next turn (slices.h), or until the client has received half of the bytes that wait for it,
  // or all of them.
  enum class HeldBack : std::uint8_t { no, until_indexed, until_turn, until_half, until_all };

  // What a client has asked for to get a session.
  struct Connecting {
    wire::ConnectRequest request;
    wire::RequestId id;
    std::string password;            // 32 hex digits, for the reply
    std::uint32_t waited_ticks = 0;  // in State::waiting
  };

  // How a connection ends once everything that was read is answered.
  struct Ending {
    CloseCode code;
    std::string reason;
  };

  std::shared_ptr<ClientConnection> connection;
  std::shared_ptr<AddressAccounts> accounts;  // of its address
  std::uint64_t number = 0;                   // session::Owner::connection
  std::unique_ptr<Connecting> connecting;     // from `connect` until the session is open
  std::int64_t timeout_ms = 0;
  wire::SessionId session;
  Touch touch;                              // of the session
  znode::Identities identities;             // every `auth` adds some
  std::optional<std::int64_t> last_number;  // of its writes, with `dedup`

  // Requests that have not begun: they came before the session was open, while it was held back, or
  // while very many were outstanding.
  std::list<wire::ParsedRequest> early_requests;
  std::size_t early_bytes = 0;  // of their frames
  session::RequestOrder<QueuedReply, QueuedRead> order;
  std::unique_ptr<Ending> ending;   // set: nothing more is read
  std::size_t stamped_replies = 0;  // replies in `order` whose zxid is set already
  Holding requests;                 // the bytes of outstanding requests
  Holding kept;                     // the bytes of replies in `order`
  Holding watches;                  // what its session's watches take
  // True once the index that the next read waits for is there. Null if it waits for none.
  std::shared_ptr<const bool> index = {};
  Slices::Debt debt;
  State state = State::connected;
  bool read_only = false;         // its session was opened without a quorum
  bool dedup = false;             // the results of its writes are kept
  bool reserves_session = false;  // see AddressSessions
  bool paused = false;            // not read from: too much is outstanding or waits
  HeldBack held_back = HeldBack::no;
  bool asks_again = false;  // the read need not wait for `index` any more before it asks for it
  bool receives = false;    // something was sent to it since the last tick
  bool lags = false;        // its watches are suspended until it has received enough

  // Requests that are not answered yet.
  [[nodiscard]] std::size_t outstanding() const { return early_requests.size() + order.size(); }
  // An `auth` of the client has failed: the requests after it are not carried out.
  [[nodiscard]] bool ends_at_once() const {
    return ending && ending->code == CloseCode::policy_violation;
  }
  [[nodiscard]] bool is_held_back() const { return held_back != HeldBack::no; }
  // Whether the client is held back, or has requests that have not begun.
  [[nodiscard]] bool is_put_off() const { return is_held_back() || !early_requests.empty(); }
  // Whether the client must receive bytes that wait for it before its reads go on.
  [[nodiscard]] bool is_behind() const {
    return held_back == HeldBack::until_half || held_back == HeldBack::until_all;
  }
  // Whether a request may begin, if `outstanding_max` may be outstanding. If not, it becomes an
  // early request.
  [[nodiscard]] bool begins_requests(std::size_t outstanding_max) const {
    return state == State::open && !is_held_back() && order.size() < outstanding_max;
  }
};

// Performs no further request. The client does not lag any more: the watches belong to the next
// connection of its session.
void end(Client& client);
// The same, and closes the connection once everything queued for it is sent.
void disconnect(Client& client, CloseCode code, const std::string& reason);
// Tells the client to connect to another server (`goaway`), and disconnects it.
void redirect(Client& client, const std::string& reason);
// Reads nothing more. ClientSender::flush disconnects the client once its requests are answered.
void end_after_replies(Client& client, CloseCode code, std::string reason);
// Adds the identities that `auth` proves. `super_digest` as in server/auth/authenticate.h, which
// also says how it fails; then nothing changes.
[[nodiscard]] wire::Result<void> authenticate(Client& client, const wire::AuthRequest& auth,
                                              std::string_view super_digest);

}  // namespace server
