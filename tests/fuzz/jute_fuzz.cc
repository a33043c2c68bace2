#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "server/budgets/budgets.h"
#include "server/clients/zookeeper_protocol.h"
#include "wire/ensure.h"
#include "wire/jute/requests.h"
#include "wire/replies.h"

// Reads any bytes as a connection of ZooKeeper's protocol. The requests must be the same if the
// bytes arrive in pieces, and every request is answered.
namespace {

using server::StreamProtocol;

struct Seen {
  std::vector<std::size_t> requests;  // their kinds
  std::string sent;

  bool operator==(const Seen&) const = default;
};

Seen read(std::string_view bytes, std::size_t piece) {
  const server::ClientLimits limits;
  server::ConnectionCounters counters;
  const auto ledger = server::Ledger::make(server::usual_memory_limit,
                                           server::budget_table(server::usual_memory_limit));
  const StreamProtocol::Time now{};
  server::ZooKeeperProtocol protocol(limits, counters, ledger->of("127.0.0.1"), now);
  Seen seen;
  while (!bytes.empty() && protocol.wants_bytes()) {
    std::string some(bytes.substr(0, piece));
    bytes.remove_prefix(some.size());
    protocol.receive(some);
    std::size_t unanswered = 0;
    while (auto event = protocol.next(now)) {
      auto* frame = std::get_if<wire::ParsedFrame>(&*event);
      if (frame == nullptr) continue;
      for (const auto& request : frame->requests) {
        seen.requests.push_back(request->request.index());
        if (!std::holds_alternative<wire::ConnectRequest>(request->request)) unanswered += 1;
      }
    }
    for (; unanswered > 0; --unanswered) {
      const wire::Error error{wire::ErrorCode::no_node, ""};
      ensure(protocol.queue().send(wire::Reply{{}, {}, {}, error}), "there is room");
    }
    while (protocol.has_output()) {
      std::string out;
      protocol.compose(out, now);
      protocol.written(out.size(), now);
      seen.sent += out;
    }
  }
  return seen;
}

}  // namespace

// The first byte is the size of the pieces, less one.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  static_cast<void>(wire::jute::parse_connect(bytes));
  static_cast<void>(wire::jute::parse_request(bytes));
  const Seen whole = read(bytes, bytes.size() + 1);
  ensure(read(bytes, std::size_t{data[0]} + 1).requests == whole.requests,
         "pieces make no difference");
  return 0;
}
