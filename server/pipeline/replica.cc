#include "server/pipeline/replica.h"

#include <utility>
#include <variant>

#include "server/auth/authenticate.h"

namespace server {

session::Applied Replica::apply(const zab::Txn& txn) {
  session::Applied applied = service_.apply(txn.zxid, *txn.payload);
  using Change = session::Applied::SessionChange;
  counters_.applied += 1;
  switch (applied.session_change) {
    case Change::none: break;
    case Change::opened: counters_.sessions_opened += 1; break;
    case Change::moved: counters_.sessions_moved += 1; break;
    case Change::closed: counters_.sessions_closed += 1; break;
    case Change::expired: counters_.sessions_expired += 1; break;
  }
  return applied;
}

wire::Result<session::Answer> Replica::read(wire::SessionId session, const QueuedRead& read) {
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
