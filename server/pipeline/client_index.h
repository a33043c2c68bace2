#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <unordered_map>

#include "server/pipeline/client.h"

namespace server {

// Owns all clients, and finds them by connection, number and session.
class ClientIndex {
 public:
  // The first client's number is `last_number` + 1.
  explicit ClientIndex(std::uint64_t last_number) : last_number_(last_number) {}

  // A client with a number that no other client gets.
  Client& add(const std::shared_ptr<ClientConnection>& connection);
  // The connection is closed. Returns the session that has no client any more, if it had one here.
  std::optional<wire::SessionId> remove(const ClientConnection& connection);

  // Requests and events of the session belong to this client from now on.
  void attach(wire::SessionId session, Client& client);
  void detach(wire::SessionId session);
  void detach_all();

  // Null if there is none.
  [[nodiscard]] Client* find(const ClientConnection& connection);
  [[nodiscard]] Client* find(std::uint64_t number);
  [[nodiscard]] Client* find(wire::SessionId session);
  [[nodiscard]] const Client* find(wire::SessionId session) const;

  [[nodiscard]] std::size_t size() const { return clients_.size(); }
  // All clients, in the order in which they connected.
  [[nodiscard]] const std::map<std::uint64_t, Client*>& by_number() const { return by_number_; }

 private:
  std::uint64_t last_number_;
  std::unordered_map<const ClientConnection*, std::unique_ptr<Client>> clients_;
  std::map<std::uint64_t, Client*> by_number_;
  std::unordered_map<std::uint64_t, Client*> by_session_;  // by wire::SessionId::value
};

}  // namespace server
