#include "server/pipeline/client_index.h"

#include <utility>

namespace server {

Client& ClientIndex::add(const std::shared_ptr<ClientConnection>& connection) {
  auto client = std::make_unique<Client>();
  client->connection = connection;
  client->number = ++last_number_;
  by_number_[client->number] = client.get();
  return *(clients_[connection.get()] = std::move(client));
}

std::optional<wire::SessionId> ClientIndex::remove(const ClientConnection& connection) {
  const auto removed = clients_.extract(&connection);
  if (removed.empty()) return std::nullopt;
  const Client& client = *removed.mapped();
  by_number_.erase(client.number);
  const auto attached = by_session_.find(client.session.value);
  if (attached == by_session_.end() || attached->second != &client) return std::nullopt;
  by_session_.erase(attached);
  return client.session;
}

void ClientIndex::attach(wire::SessionId session, Client& client) {
  by_session_[session.value] = &client;
}

void ClientIndex::detach(wire::SessionId session) { by_session_.erase(session.value); }

void ClientIndex::detach_all() { by_session_.clear(); }

Client* ClientIndex::find(const ClientConnection& connection) {
  const auto found = clients_.find(&connection);
  return found == clients_.end() ? nullptr : found->second.get();
}

Client* ClientIndex::find(std::uint64_t number) {
  const auto found = by_number_.find(number);
  return found == by_number_.end() ? nullptr : found->second;
}

Client* ClientIndex::find(wire::SessionId session) {
  const auto found = by_session_.find(session.value);
  return found == by_session_.end() ? nullptr : found->second;
}

const Client* ClientIndex::find(wire::SessionId session) const {
  const auto found = by_session_.find(session.value);
  return found == by_session_.end() ? nullptr : found->second;
}

}  // namespace server
