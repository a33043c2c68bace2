#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client-lib/actions.h"
#include "client-lib/watches.h"
#include "wire/replies.h"
#include "wire/requests.h"
#include "wire/result.h"

namespace zabkeeper {

struct SessionOptions {
  std::int64_t timeout_ms = 10'000;
  std::vector<wire::AuthRequest> auth;  // sent to every server that the session moves to
  bool read_only = false;               // accept a server without a quorum
  bool dedup = false;         // send unanswered writes again, where servers keep their results
  bool after_expiry = false;  // open a new session when one expires, instead of ending
};

// The client's side of the protocol over one session and one socket after another. A pure value: it
// knows no sockets, time or threads, and equal calls return equal actions.
//
// A session survives its sockets. When a socket is lost, unanswered reads are sent again over the
// next one. An unanswered write gets ConnectionLoss, because it may have been applied; with `dedup`
// it is sent again instead. Watches are set again (see Watches).
class Conversation {
 public:
  explicit Conversation(SessionOptions options);

  // Returns the ticket of the Complete that will answer the request.
  Ticket request(wire::Request request, Actions& actions,
                 wire::Encoding encoding = wire::Encoding::text_if_utf8);

  [[nodiscard]] Actions socket_opened();
  [[nodiscard]] Actions received(std::string_view frame);
  // `reason` is for people.
  [[nodiscard]] Actions socket_lost(std::string reason);
  // Sends a ping: its reply shows that the server is alive, and its zxid.
  [[nodiscard]] Actions heartbeat();
  // No server was found in time: pending requests get NotReady, because they were not sent. The
  // caller may continue to try servers. `reason` is for people.
  [[nodiscard]] Actions fail_pending(const std::string& reason);

  // Whether a server has accepted the session over the open socket.
  [[nodiscard]] bool connected() const { return phase_ == Phase::connected; }
  // Closed, or expired for good: another socket would be of no use.
  [[nodiscard]] bool ended() const { return phase_ == Phase::ended; }
  // As negotiated; before that, as requested.
  [[nodiscard]] std::int64_t timeout_ms() const { return timeout_ms_; }
  [[nodiscard]] wire::SessionId session() const { return session_; }
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
    wire::Zxid zxid;  // of the reply
  };

  [[nodiscard]] Pending* find(Ticket ticket);
  [[nodiscard]] const wire::Request* outstanding(const wire::RequestId& id);
  [[nodiscard]] std::optional<wire::Result<wire::ReplyBody>> result_after_loss(
      const Pending& pending, const std::string& reason);
  void resume_watches();
  static void send(Pending& pending, Actions& actions);
  void finish_all(const wire::Error& error);
  void complete_finished(Actions& actions);
  void close_socket(std::string reason, Actions& actions);
  void end_session(const wire::Error& error, Actions& actions);
  void on_closed(Actions& actions);
  void raise_last_zxid(wire::Zxid zxid);

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
  bool provisional_ = false;  // opened by a server without a quorum, unknown to other servers
  wire::Zxid last_zxid_;      // the highest ever received
  std::uint64_t last_ticket_ = 0;
  bool announced_ = false;       // the last session event was `connected`
  std::deque<Pending> pending_;  // tickets rise
  Watches watches_;
};

}  // namespace zabkeeper
