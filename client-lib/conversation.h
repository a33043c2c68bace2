#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client-lib/actions.h"
#include "client-lib/blame.h"
#include "client-lib/watches.h"
#include "wire/replies.h"
#include "wire/requests.h"
#include "wire/result.h"

namespace zabkeeper {

struct SessionOptions {
  std::int64_t timeout_ms = 10'000;
  std::vector<wire::AuthRequest> auth = {};  // sent to every server that the session moves to
  bool read_only = false;                    // accept a server without a quorum
  // Send unanswered writes again: servers keep their results, and carry each out once.
  bool dedup = true;
  bool after_expiry = false;  // open a new session when one expires, instead of ending
};

// The client's side of the protocol over one session and one socket after another. A pure value: it
// knows no sockets, time or threads, and equal calls return equal actions.
//
// A session survives its sockets. When a socket is lost, unanswered requests are sent again over
// the next one, and watches are set again (see Watches). Servers carry out a write once, however
// often it is sent (`dedup`). Without `dedup`, an unanswered write gets ConnectionLoss instead,
// because it may have been applied. If the session ends before the reply to such a write comes, the
// write gets ConnectionLoss in either case; requests that were not sent, and reads, get the
// session's error.
//
// A request that no server can accept is refused and not sent (see refusal_of). If a server closes
// the socket because of a frame, the request in it is refused (see Blame). So that one request can
// be blamed, a frame that is larger than all that this server has accepted is sent alone: when no
// reply is outstanding, and before any later request. A request that was outstanding whenever a
// socket was lost is sent alone too. A read is given up after `losses_max` losses.
//
// The session ends for its user at its deadline, with or without a socket: that is the latest time
// until which a server has promised to keep it (`validMs`), less 1/64 of the promise for a clock
// that drifts. So the user learns of the end before another client can see it.
class Conversation {
 public:
  using Time = std::chrono::steady_clock::time_point;  // passed in: the conversation reads no clock

  explicit Conversation(SessionOptions options);

  // Returns the ticket of the Complete that will answer the request.
  Ticket request(wire::Request request, Actions& actions,
                 wire::Encoding encoding = wire::Encoding::text_if_utf8,
                 std::vector<wire::Condition> conditions = {});

  // Takes back a request that no server can have received. False if it was sent, or is answered.
  [[nodiscard]] bool withdraw(Ticket ticket, Actions& actions);

  [[nodiscard]] Actions socket_opened(Time now);
  [[nodiscard]] Actions received(std::string_view frame);
  [[nodiscard]] Actions socket_lost(SocketLoss loss);
  // Sends a ping: its reply shows that the server is alive, its zxid, and how long the session is
  // safe.
  [[nodiscard]] Actions heartbeat(Time now);
  // To be called at `deadline`. Ends the session if it has passed.
  [[nodiscard]] Actions deadline_passed(Time now);
  // No server was found in time: pending requests get NotReady, because they were not sent. A write
  // that was sent goes on waiting for the next server: only that can say whether it was applied.
  // The caller may continue to try servers. `reason` is for people.
  [[nodiscard]] Actions fail_pending(const std::string& reason);
  // Ends the session without a server: all requests get `error`, also later ones.
  [[nodiscard]] Actions abandon(const wire::Error& error);

  // Whether a server has accepted the session over the open socket.
  [[nodiscard]] bool connected() const { return phase_ == Phase::connected; }
  // Closed, or expired for good: another socket would be of no use.
  [[nodiscard]] bool ended() const { return phase_ == Phase::ended; }
  // As negotiated; before that, as requested.
  [[nodiscard]] std::int64_t timeout_ms() const { return timeout_ms_; }
  [[nodiscard]] wire::SessionId session() const { return session_; }
  // Until then the session certainly exists. Nothing: no server has promised anything.
  [[nodiscard]] std::optional<Time> deadline() const { return deadline_; }
  [[nodiscard]] wire::Zxid last_zxid() const { return last_zxid_; }

 private:
  enum class Phase : std::uint8_t { offline, connecting, connected, ended };

  // A request that is not completed. With a result it only waits for the requests before it.
  struct Pending {
    Ticket ticket;
    wire::ClientRequest request;
    bool sent = false;      // over the open socket
    bool internal = false;  // made by the conversation itself: not reported as Complete
    std::optional<wire::Result<wire::ReplyBody>> result;
    wire::Zxid zxid;               // of the reply
    bool alone = false;            // no other request may be outstanding with it
    std::size_t frame_bytes = 0;   // as it was sent
    std::size_t losses = 0;        // of sockets over which it was outstanding
    std::optional<Time> asked_at;  // of a heartbeat

    [[nodiscard]] bool outstanding() const { return sent && !result; }
  };
  static constexpr std::size_t losses_max = 5;

  [[nodiscard]] Pending* find(Ticket ticket);
  [[nodiscard]] const wire::Request* outstanding(const wire::RequestId& id);
  [[nodiscard]] static bool may_be_applied(const Pending& pending);
  [[nodiscard]] static wire::Error unknown_outcome(const Pending& pending,
                                                   const std::string& reason);
  [[nodiscard]] std::optional<wire::Result<wire::ReplyBody>> result_after_loss(
      const Pending& pending, const SocketLoss& loss);
  void settle_blamed(const SocketLoss& loss, Actions& actions);
  void refuse(Pending& pending, const wire::Error& error, Actions& actions);
  void resume_watches();
  // Sends what may be sent now.
  void send_pending(Actions& actions);
  // False if the request has to wait for replies.
  [[nodiscard]] bool send(Pending& pending, Actions& actions);
  // Finishes all without a result: the session has ended, or is given up.
  void finish_all(const wire::Error& error);
  void complete_finished(Actions& actions);
  void close_socket(std::string reason, Actions& actions);
  void end_session(const wire::Error& error, Actions& actions);
  void on_closed(Actions& actions);
  void raise_last_zxid(wire::Zxid zxid);
  // A server has promised so much to a request that was sent then.
  void raise_deadline(Time asked_at, std::int64_t valid_ms);

  void on(wire::Reply&& reply, Actions& actions);
  void on(wire::WatchEvent&& event, Actions& actions);
  void on(wire::ConnectedReply&& reply, Actions& actions);
  void on(wire::ConnectRefused&& refused, Actions& actions);
  void on(wire::Expired&& expired, Actions& actions);
  void on(wire::GoAway&& go_away, Actions& actions);
  void on_result(const Pending& pending, Actions& actions);

  SessionOptions options_;
  Phase phase_ = Phase::offline;
  std::int64_t timeout_ms_ = 0;
  wire::SessionId session_;  // none until a server has opened one
  std::string password_;
  std::optional<Time> deadline_;
  bool provisional_ = false;  // opened by a server without a quorum, unknown to other servers
  wire::Zxid last_zxid_;      // the highest ever received
  std::uint64_t last_ticket_ = 0;
  bool announced_ = false;          // the last session event was `connected`
  std::deque<Pending> pending_;     // tickets rise
  std::size_t outstanding_ = 0;     // of pending_: sent over the open socket, without a result
  bool alone_outstanding_ = false;  // the one that is outstanding was sent alone
  bool held_ = false;               // some of pending_ wait to be sent
  // Of the open socket:
  Time opened_at_;
  std::size_t accepted_bytes_ = 0;             // frames of this size were accepted
  std::optional<wire::ErrorCode> last_error_;  // of the last reply
  std::optional<wire::Error> end_;             // why the session has ended, if no server ended it
  Watches watches_;
};

}  // namespace zabkeeper
