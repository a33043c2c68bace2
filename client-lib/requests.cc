#include "client-lib/requests.h"

#include <charconv>
#include <string>
#include <variant>

namespace zabkeeper {

wire::RequestId id_of(Ticket ticket) { return {std::to_string(ticket.value)}; }

Ticket ticket_of(const wire::RequestId& id) {
  Ticket ticket;
  const char* end = id.json.data() + id.json.size();
  const auto [stop, error] = std::from_chars(id.json.data(), end, ticket.value);
  return error == std::errc{} && stop == end ? ticket : Ticket{};
}

bool is_write(const wire::Request& request) {
  return std::holds_alternative<wire::CreateRequest>(request) ||
         std::holds_alternative<wire::SetRequest>(request) ||
         std::holds_alternative<wire::DeleteRequest>(request) ||
         std::holds_alternative<wire::SetAclRequest>(request) ||
         std::holds_alternative<wire::MultiRequest>(request);
}

}  // namespace zabkeeper
