#include "server/pipeline/replica.h"

#include <utility>
#include <variant>

#include "server/auth/authenticate.h"

namespace server {

std::optional<session::Applied> Replica::apply(const zab::Txn& txn, session::BuildReply build,
                                               const session::EventSink& sink) {
  if (halt_) return std::nullopt;
  auto applied = service_.apply(txn.zxid, *txn.payload, build, sink);
  if (!applied) {
    const bool is_newer = applied.error().code == wire::ErrorCode::unimplemented;
    halt_ = {txn.zxid, applied.error().message,
             is_newer ? "Start this server with a newer program"
                      : "Stop this server, move its data directory away and start it again: then "
                        "the leader sends its state. Report this, with both directories"};
    return std::nullopt;
  }
  using Change = session::Applied::SessionChange;
  counters_.applied += 1;
  switch (applied->session_change) {
    case Change::none: break;
    case Change::opened: counters_.sessions_opened += 1; break;
    case Change::moved: counters_.sessions_moved += 1; break;
    case Change::closed: counters_.sessions_closed += 1; break;
    case Change::expired: counters_.sessions_expired += 1; break;
  }
  return *std::move(applied);
}

wire::Result<session::Answer> Replica::read(wire::SessionId session, const QueuedRead& read) {
  if (halt_) return wire::Error{wire::ErrorCode::not_ready, "this server's state is out of date"};
  const wire::ClientRequest& request = read.request;
  if (std::holds_alternative<wire::PingRequest>(request.request)) {
    return session::Answer{{}, wire::PongReply{}};
  }
  if (std::holds_alternative<wire::WhoamiRequest>(request.request)) {
    return session::Answer{{}, whoami(read.identities)};
  }
  return service_.read({session, read.identities}, request.id, request.request, request.encoding);
}

}  // namespace server
