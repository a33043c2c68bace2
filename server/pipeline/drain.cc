#include "server/pipeline/drain.h"

#include <algorithm>

namespace server {

void Drain::redirect_all(const std::string& reason) {
  for (const auto& [number, client] : clients_.by_number()) redirect(*client, reason);
}

void Drain::redirect_from_now_on(const std::string& reason) {
  reason_ = reason;
  redirect_all(reason);
}

void Drain::begin(const std::string& reason) {
  reason_ = reason;
  for (const auto& [number, client] : clients_.by_number()) {
    if (client->state != Client::State::open || client->outstanding() == 0) {
      redirect(*client, reason);
    } else if (!client->ending) {
      end_after_replies(*client, CloseCode::going_away, reason);
    }
  }
}

bool Drain::is_done() const {
  return std::ranges::all_of(clients_.by_number(), [](const auto& entry) {
    return entry.second->state == Client::State::ended;
  });
}

void Drain::connected(Client& client) const {
  if (reason_) redirect(client, *reason_);
}

}  // namespace server
