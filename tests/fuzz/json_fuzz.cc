#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "wire/ensure.h"
#include "wire/json.h"

// Feeds any bytes to both readers of JSON: of requests and of servers' messages. The first byte
// chooses the request that every reply belongs to.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);

  const wire::ParsedFrame frame = wire::json::parse_requests(text);
  // A text this short cannot reach the limit of requests, at which parsing stops.
  if (frame.fault == wire::ParsedFrame::Fault::none && text.size() < wire::frame_requests_max) {
    ensure(nlohmann::json::accept(text), "both parsers accept the same texts");
  }
  for (const wire::ParsedRequest& parsed : frame.requests) {
    if (parsed.has_error()) continue;
    std::string written;
    wire::json::write(*parsed, written);
    const wire::ParsedFrame again = wire::json::parse_requests(written);
    ensure(again.requests.size() == 1 && again.requests.front().has_value() &&
               *again.requests.front() == *parsed,
           "a request would change on its way");
  }

  static const wire::Request requests[] = {
      wire::CreateRequest{},
      wire::GetRequest{},
      wire::ExistsRequest{},
      wire::ChildrenRequest{},
      wire::CountRequest{},
      wire::GetAclRequest{},
      wire::EphemeralsRequest{},
      wire::MultiRequest{{wire::CreateRequest{}, wire::GetRequest{}, wire::CheckRequest{}}},
      wire::WatchRequest{},
      wire::WhoamiRequest{},
      wire::PingRequest{}};
  const wire::Request& request = requests[data[0] % std::size(requests)];
  const auto messages =
      wire::json::parse_server_messages(text, [&](const wire::RequestId&) { return &request; });
  if (messages.has_error()) return 0;
  for (const wire::ServerMessage& message : *messages) {
    std::string written;
    wire::json::write(message, written);
  }
  return 0;
}
