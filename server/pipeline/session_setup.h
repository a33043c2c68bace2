#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <variant>

#include "server/pipeline/client_index.h"
#include "server/pipeline/environment.h"
#include "server/pipeline/options.h"
#include "server/pipeline/replica.h"
#include "server/pipeline/replies.h"
#include "session/commands.h"
#include "session/service.h"
#include "zab/effects.h"

namespace server {

// How a connection gets its session, and loses it. Its timeouts are counted in ticks.
class SessionSetup {
 public:
  // Wait until this zxid is applied here: a client never sees its state go back.
  struct CatchUp {
    wire::Zxid zxid;
  };
  // Open this session for the client, without a quorum.
  struct ReadOnlySession {
    wire::SessionId id;
    bool resumed = false;
  };

  // All of them live as long as this does.
  SessionSetup(const PipelineOptions& options, Replica& replica, ClientIndex& clients,
               Replies& replies, Environment& environment);

  // `connect`, the client's first request. Returns false if it is refused; the client waits
  // otherwise.
  bool begin(Client& client, wire::ConnectRequest request);
  // The next step for a waiting client, while this server serves. The caller submits the body of a
  // command at once; the command opens or moves the client's session.
  [[nodiscard]] std::variant<CatchUp, session::CommandBody> next_step(Client& client);
  // The client has its session now. Sends the reply to `connect`; `role` is this server's.
  void open(Client& client, wire::SessionId session, bool resumed, wire::Role role);
  // A transaction closed, expired or moved a session of this server: its `former_owner` is one of
  // this server's connections.
  void ended(const session::Applied& applied);

  // This server serves now.
  void serves() { unserved_ticks_ = 0; }
  // One heartbeat interval has passed.
  void tick(bool serving);
  // True in the tick in which this server has been without a leader for too long. All its clients
  // are redirected then.
  [[nodiscard]] bool gives_up_serving() const;
  // A waiting client has waited for one more heartbeat interval. Refuses a client that has waited
  // for too long. Returns a read-only session where the client gets one; the caller calls `open`.
  [[nodiscard]] std::optional<ReadOnlySession> tick_waiting(Client& client);

 private:
  [[nodiscard]] std::int64_t granted_timeout_ms(const Client& client) const;
  // Nothing where the client has to wait for a quorum; an error if its password is wrong.
  [[nodiscard]] std::optional<wire::Result<ReadOnlySession>> read_only_session(
      const Client& client) const;
  ReadOnlySession prepare_read_only(Client& client, ReadOnlySession session);
  [[nodiscard]] std::uint32_t ticks(std::chrono::milliseconds time) const;

  const PipelineOptions& options_;
  Replica& replica_;
  ClientIndex& clients_;
  Replies& replies_;
  Environment& environment_;
  std::uint32_t unserved_ticks_ = 0;  // since this server last served
};

// The role that a server names to its clients. A server without an ensemble is standalone.
[[nodiscard]] wire::Role client_role(const PipelineOptions& options, zab::Role role);

}  // namespace server
