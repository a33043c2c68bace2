#pragma once

#include <optional>
#include <string>

#include "server/pipeline/client_index.h"

namespace server {

// Sends all clients to other servers: at once, or when their requests are answered.
class Drain {
 public:
  // `clients` lives as long as this does.
  explicit Drain(ClientIndex& clients) : clients_(clients) {}

  // Redirects all clients that are connected now.
  void redirect_all(const std::string& reason);
  // Redirects all clients, and those that connect later.
  void redirect_from_now_on(const std::string& reason);
  // The same, but first answers a client's requests that were read, and reads nothing more.
  void begin(const std::string& reason);
  // No client waits for a reply any more.
  [[nodiscard]] bool is_done() const;

  // A client has connected.
  void connected(Client& client) const;

 private:
  ClientIndex& clients_;
  std::optional<std::string> reason_;  // set: clients that connect are redirected
};

}  // namespace server
