#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "client-lib/session_event.h"
#include "wire/replies.h"
#include "wire/requests.h"
#include "wire/result.h"

namespace zabkeeper {

// The name of a request within a conversation, and of the watch that it leaves behind: the `id` on
// the wire. Rises from request to request.
struct Ticket {
  std::uint64_t value = 0;

  auto operator<=>(const Ticket&) const = default;
};

// What is to be done about a step of a conversation, in this order.
struct Send {  // over the open socket
  std::string frame;
  bool operator==(const Send&) const = default;
};
struct CloseSocket {  // and report it with `socket_lost`
  std::string reason;
  bool operator==(const CloseSocket&) const = default;
};
struct Complete {  // requests are completed in the order in which they were made
  Ticket ticket;
  wire::Result<wire::ReplyBody> result;
  wire::Zxid zxid;
};
struct Deliver {  // an event of the watch that `ticket` set, or why the watch is gone
  Ticket ticket;
  wire::Result<wire::WatchEvent> event;
  bool last = false;  // there will be no other
};
using Action = std::variant<Send, CloseSocket, Complete, Deliver, SessionEvent>;
using Actions = std::vector<Action>;

struct SessionOptions {
  std::int64_t timeout_ms = 10'000;
  std::vector<wire::AuthRequest> auth;  // for the first request and for every server after a move
  bool read_only = false;               // a server without a quorum will do
  bool dedup = false;         // send unanswered writes again, where servers keep their results
  bool after_expiry = false;  // open a new session when one expires, instead of ending
};

// What a client says to servers, one socket after another, and makes of what they say. Knows
// nothing of sockets, time and threads: equal calls, equal actions.
//
// A session outlives its sockets. What was unanswered when one was lost: reads are sent again over
// the next; a write gets ConnectionLoss, for nobody knows whether it was applied (with `dedup` it
// is sent again instead). Watches are set again from the point up to which they are known to have
// been told everything, so no event is lost or doubled.
class Conversation {
 public:
  explicit Conversation(SessionOptions options);

  // The user's part. The ticket is that of the Complete which will answer.
  Ticket request(wire::Request request, Actions& actions,
                 wire::Encoding encoding = wire::Encoding::text_if_utf8);

  // The world's part.
  [[nodiscard]] Actions socket_opened();
  [[nodiscard]] Actions received(std::string_view frame);
  [[nodiscard]] Actions socket_lost(std::string reason);
  // Nothing was received for a while: a round trip shows that the server lives, and how far it is.
  [[nodiscard]] Actions heartbeat();
  // No server was found for too long: whatever waits gets NotReady, for it was not sent. Servers
  // may still be tried.
  [[nodiscard]] Actions give_up(const std::string& reason);

  // Whether a server has accepted the session over the open socket.
  [[nodiscard]] bool connected() const { return phase_ == Phase::connected; }
  // Closed, or expired for good: there is no use in opening another socket.
  [[nodiscard]] bool ended() const { return phase_ == Phase::ended; }
  // As negotiated; what was asked for until then.
  [[nodiscard]] std::int64_t timeout_ms() const { return timeout_ms_; }
  [[nodiscard]] wire::SessionId session() const { return session_; }
  [[nodiscard]] wire::Zxid last_zxid() const { return last_zxid_; }

 private:
  enum class Phase : std::uint8_t { offline, connecting, connected, ended };

  // A request that is not completed yet. Once it has its answer, it only waits for those before it.
  struct Pending {
    Ticket ticket;
    wire::ClientRequest request;
    bool sent = false;    // over the open socket
    bool silent = false;  // our own: nobody waits for its completion
    std::optional<wire::Result<wire::ReplyBody>> answer;
    wire::Zxid zxid;  // of the answer
  };

  // Of the events of a watch its user was told all up to and including `told`; of those at `told`
  // itself only the first `events_at_told`, if that is set.
  struct Watch {
    wire::WatchRequest request;
    bool acknowledged = false;  // ever
    wire::Zxid told;
    std::optional<std::size_t> events_at_told;
    std::size_t skip = 0;               // so many events at `told` come again in a replay
    std::uint64_t acknowledged_by = 0;  // the count of replies when it last was
  };

  [[nodiscard]] Pending* find(Ticket ticket);
  [[nodiscard]] const wire::Request* outstanding(const wire::RequestId& id);
  void leave_watch(Ticket ticket, const wire::Request& request);
  void begin_where_told(Watch& watch);
  void set_watches_again();
  static void send(Pending& pending, Actions& actions);
  void answer_all(const wire::Error& error);
  void complete_answered(Actions& actions);
  void close(std::string reason, Actions& actions);
  void end_session(const wire::Error& error, Actions& actions);
  void saw(wire::Zxid zxid);

  void on(wire::Reply&& reply, Actions& actions);
  void on(wire::WatchEvent&& event, Actions& actions);
  void on(wire::ConnectedReply&& reply, Actions& actions);
  void on(wire::ConnectRefused&& refused, Actions& actions);
  void on(wire::Expired&& expired, Actions& actions);
  void on(wire::GoAway&& go_away, Actions& actions);
  void on_answer(const Pending& pending, Actions& actions);

  SessionOptions options_;
  Phase phase_ = Phase::offline;
  std::int64_t timeout_ms_ = 0;
  wire::SessionId session_;  // none until a server gave one
  std::string password_;
  bool provisional_ = false;  // known to a server without a quorum, and to no other
  wire::Zxid last_zxid_;      // the highest seen anywhere
  wire::Zxid replied_zxid_;   // the highest of a reply: every event up to it came before that reply
  std::uint64_t replies_ = 0;
  std::uint64_t last_ticket_ = 0;
  bool announced_ = false;       // the last session event was `connected`
  std::deque<Pending> pending_;  // tickets rise
  std::map<Ticket, Watch> watches_;
};

}  // namespace zabkeeper
