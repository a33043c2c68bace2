#pragma once

#include <cstdint>
#include <optional>
#include <variant>

#include "server/pipeline/address_sessions.h"
#include "server/pipeline/client_index.h"
#include "server/pipeline/environment.h"
#include "server/pipeline/options.h"
#include "server/pipeline/replica.h"
#include "server/pipeline/replies.h"
#include "server/pipeline/touch_intervals.h"
#include "server/pipeline/when_applied.h"
#include "session/commands.h"
#include "session/service.h"
#include "zab/effects.h"

namespace server {

// How a connection gets its session and identities, and loses its session. Its timeouts are counted
// in ticks.
class SessionSetup {
 public:
  // Open this session for the client, without a quorum.
  struct ReadOnlySession {
    wire::SessionId id;
    bool resumed = false;
  };

  // All of them live as long as this does.
  SessionSetup(const PipelineOptions& options, Replica& replica, ClientIndex& clients,
               Replies& replies, const TouchIntervals& touch_intervals, Environment& environment);

  // The client's first request. Returns false if it is refused; the client waits otherwise.
  [[nodiscard]] bool begin(Client& client, wire::ParsedRequest first);
  // The client's first frame has no request. It is refused.
  void begin_without_request(Client& client);
  // The next step for a waiting client, while this server serves. The caller gives a command its
  // tag and submits it at once; the command opens or moves the client's session. Or the client
  // waits until this server has caught up: a client never sees its state go back. Nothing if its
  // address may not open a session: then it was refused.
  [[nodiscard]] std::optional<std::variant<WhenApplied, session::Command>> next_step(
      Client& client);
  // The client has its session now. Sends the reply to `connect`; `role` is this server's.
  void open(Client& client, wire::SessionId session, bool resumed, wire::Role role);
  // An `auth` of a client that has its session. The identities count for later requests. After a
  // failed `auth` the connection is closed, as in ZooKeeper.
  [[nodiscard]] wire::Result<wire::ReplyBody> add_identities(Client& client,
                                                             const wire::AuthRequest& auth);
  // The client has left.
  void left(const Client& client) { address_sessions_.left(client); }
  // The state of this server was replaced.
  void restored() { address_sessions_.restored(replica_.sessions()); }
  // A transaction is applied. Disconnects the client if it closed, expired or moved a session whose
  // `former_owner` is one of this server's connections.
  void applied(const session::Applied& applied);

  // This server serves now.
  void serves() { unserved_ticks_ = 0; }
  // One heartbeat interval has passed. Call `tick_client` for each client next.
  void tick(bool serving);
  // Redirects a client when this server has been without a leader for too long, and refuses one
  // that has waited for too long. Returns a read-only session where a waiting client gets one; the
  // caller calls `open`.
  [[nodiscard]] std::optional<ReadOnlySession> tick_client(Client& client);

 private:
  [[nodiscard]] std::int64_t granted_timeout_ms(const Client& client) const;
  // Nothing where the client has to wait for a quorum; an error if its password is wrong.
  [[nodiscard]] std::optional<wire::Result<ReadOnlySession>> read_only_session(
      const Client& client) const;
  ReadOnlySession prepare_read_only(Client& client, ReadOnlySession session);
  [[nodiscard]] std::optional<ReadOnlySession> tick_waiting(Client& client);

  const PipelineOptions& options_;
  Replica& replica_;
  ClientIndex& clients_;
  Replies& replies_;
  const TouchIntervals& touch_intervals_;
  Environment& environment_;
  AddressSessions address_sessions_;
  std::uint64_t unserved_ticks_ = 0;  // since this server last served
};

// The role that a server names to its clients. A server without an ensemble is standalone.
[[nodiscard]] wire::Role client_role(const PipelineOptions& options, zab::Role role);

}  // namespace server
