#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "wire/cbor.h"
#include "wire/ensure.h"
#include "wire/json.h"

// Feeds any bytes to the reader of CBOR.
namespace {

wire::ClientRequest only(wire::ParsedFrame frame) {
  ensure(frame.requests.size() == 1 && frame.requests.front().has_value(),
         "a written request can be read");
  return std::move(*frame.requests.front());
}

wire::ClientRequest over_cbor(const wire::ClientRequest& request) {
  std::string written;
  wire::cbor::write(request, written);
  return only(wire::cbor::parse_requests(written));
}

wire::ClientRequest over_json(const wire::ClientRequest& request) {
  std::string written;
  wire::json::write(request, written);
  return only(wire::json::parse_requests(written));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view frame(reinterpret_cast<const char*>(data), size);
  for (const wire::ParsedRequest& parsed : wire::cbor::parse_requests(frame).requests) {
    if (parsed.has_error()) continue;
    ensure(over_json(*parsed) == *parsed, "both formats give the same request");
    // One integer of CBOR cannot be written as such, because it is too long: -2^64. It becomes a
    // fraction.
    const wire::ClientRequest again = over_cbor(*parsed);
    ensure(again.request.index() == parsed->request.index(), "a request stays what it is");
    ensure(over_cbor(again) == again, "a request would change on its way");
    ensure(parsed->id.json.size() > 20 || again == *parsed, "a request would change on its way");
  }
  return 0;
}
