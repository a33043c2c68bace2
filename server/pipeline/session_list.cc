#include "server/pipeline/session_list.h"

#include <iterator>

namespace server {
namespace {

ListedSession listed(std::uint32_t self, wire::SessionId id, const session::Session& session,
                     const session::Service& service, const ClientIndex& clients) {
  ListedSession one{id, session.timeout_ms, session.owner.server,
                    service.tree().ephemeral_count(id)};
  const Client* client = session.owner.server == self ? clients.find(id) : nullptr;
  if (client != nullptr) {
    one.connection = ListedSession::Connection{client->connection->remote_address(),
                                               service.watches().size(id), client->outstanding()};
  }
  return one;
}

}  // namespace

SessionPage list_sessions(std::uint32_t self, const session::Service& service,
                          const ClientIndex& clients, const SessionPageRequest& request) {
  const auto& all = service.sessions().all();
  SessionPage page;
  std::size_t looked_at = 0;
  for (auto at = all.upper_bound(request.after); at != all.end(); ++at) {
    const auto& [id, session] = *at;
    if (!request.at || *request.at == session.owner.server) {
      page.sessions.push_back(listed(self, id, session, service, clients));
    }
    looked_at += 1;
    if (looked_at < request.looked_at_max) continue;
    if (std::next(at) != all.end()) page.next = id;
    break;
  }
  return page;
}

}  // namespace server
