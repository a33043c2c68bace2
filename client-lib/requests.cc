#include "client-lib/requests.h"

#include <charconv>
#include <string>
#include <variant>
#include <vector>

namespace zabkeeper {

wire::RequestId id_of(Ticket ticket) { return {std::to_string(ticket.value)}; }

Ticket ticket_of(const wire::RequestId& id) {
  Ticket ticket;
  const char* end = id.json.data() + id.json.size();
  const auto [stop, error] = std::from_chars(id.json.data(), end, ticket.value);
  return error == std::errc{} && stop == end ? ticket : Ticket{};
}

namespace {

constexpr std::size_t bytes_besides = 64;  // of an id, an op, and numbers

template <typename Each>
std::size_t bytes_of_one(const Each& each) {
  std::size_t bytes = bytes_besides;
  if constexpr (requires { each.path; }) bytes += each.path.size();
  if constexpr (requires { each.data.size(); }) bytes += each.data.size();
  if constexpr (requires { each.tests; }) bytes += each.tests.data.value_or("").size();
  if constexpr (requires { each.ops; }) {
    const auto add = [&bytes](const wire::MultiOp& op) {
      bytes += std::visit([](const auto& one) { return bytes_of_one(one); }, op);
    };
    for (const wire::MultiOp& op : each.ops) add(op);
    for (const wire::MultiOp& op : each.otherwise.value_or(std::vector<wire::MultiOp>())) add(op);
  }
  return bytes;
}

}  // namespace

std::size_t bytes_of(const wire::Request& request) {
  return std::visit([](const auto& each) { return bytes_of_one(each); }, request);
}

std::string path_of(const wire::Request& request) {
  return std::visit(
      [](const auto& each) -> std::string {
        if constexpr (requires { each.path; }) return each.path;
        return {};
      },
      request);
}

bool is_write(const wire::Request& request) {
  return std::holds_alternative<wire::CreateRequest>(request) ||
         std::holds_alternative<wire::SetRequest>(request) ||
         std::holds_alternative<wire::DeleteRequest>(request) ||
         std::holds_alternative<wire::SetAclRequest>(request) ||
         std::holds_alternative<wire::MultiRequest>(request);
}

}  // namespace zabkeeper
