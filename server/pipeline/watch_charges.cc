#include "server/pipeline/watch_charges.h"

#include <string>

namespace server {

wire::Result<void> WatchCharges::check(wire::SessionId session, std::size_t bytes) {
  const Client* client = clients_.find(session);
  if (client == nullptr || bytes <= client->watches.bytes()) return {};
  const std::size_t more = bytes - client->watches.bytes();
  if (client->watches.fits(more)) return {};
  ledger_.count(Budget::watches, Measure::refused);
  const bool is_server = !client->watches.fits_server(more);
  const std::size_t limit =
      is_server ? ledger_.limits(Budget::watches).server : ledger_.limits(Budget::watches).address;
  return wire::Error{
      wire::ErrorCode::too_many_watches,
      (is_server ? "the watches of this server"
                 : "the watches of address " + client->connection->remote_address()) +
          " would take more than their " + std::to_string(limit) +
          " bytes, or more than the share of this connection: remove watches that are not needed"};
}

void WatchCharges::set(wire::SessionId session, std::size_t bytes) {
  if (Client* client = clients_.find(session)) client->watches.set(bytes);
}

wire::Result<void> WatchCharges::check_indexes(std::size_t bytes) {
  const std::size_t limit = ledger_.limits(Budget::watches).address;
  const std::size_t held = indexes_ ? indexes_->bytes() : 0;
  const std::size_t used = ledger_.server(Budget::watches).used();
  const bool has_server = used + bytes <= held + ledger_.limits(Budget::watches).server;
  if (bytes <= limit && has_server) return {};
  return wire::Error{wire::ErrorCode::too_many_watches,
                     "the indexes of the numbers in folders would take more than their " +
                         std::to_string(limit) +
                         " bytes, or more than this server has left for watches"};
}

void WatchCharges::set_indexes(std::size_t bytes) {
  if (bytes == 0) return indexes_.reset();
  if (!indexes_) indexes_.emplace(account_of(ledger_.of("turns"), Budget::watches));
  indexes_->set(bytes);
}

}  // namespace server
