#include "server/pipeline/client.h"

#include <utility>

#include "server/auth/authenticate.h"

namespace server {

void end(Client& client) {
  client.state = Client::State::ended;
  client.lags = false;
}

void disconnect(Client& client, CloseCode code, const std::string& reason) {
  end(client);
  client.connection->close(code, reason);
}

void redirect(Client& client, const std::string& reason) {
  if (client.state == Client::State::ended) return;
  client.connection->send(wire::GoAway{reason});
  disconnect(client, CloseCode::going_away, reason);
}

void end_after_replies(Client& client, CloseCode code, std::string reason) {
  client.ending = std::make_unique<Client::Ending>(Client::Ending{code, std::move(reason)});
  client.connection->pause();
}

wire::Result<void> authenticate(Client& client, const wire::AuthRequest& auth,
                                std::string_view super_digest) {
  auto identities = authenticate(auth, client.identities, super_digest);
  if (!identities) return identities.error();
  client.identities = *std::move(identities);
  return {};
}

}  // namespace server
