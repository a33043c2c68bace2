#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "server/peers/agreement.h"
#include "server/peers/greeting.h"
#include "wire/ensure.h"

// Reads any bytes as a greeting between servers. They are refused, or they say something that can
// be written, is read again as the same, and leads to a link or to a sentence that can be logged.
namespace {

bool is_loggable(const std::string& text) {
  return text == server::printable(text, server::sentence_bytes_max);
}

wire::Bytes written(const server::ReceivedGreeting& received) {
  wire::Bytes bytes;
  if (const auto* refused = std::get_if<server::GreetingRefused>(&received.content)) {
    server::encode(*refused, bytes);
  } else {
    server::encode(std::get<server::Greeting>(received.content), received.form, bytes);
  }
  return bytes;
}

// What this greeting leads to at a server whose own greeting differs in the program only.
void answer(const server::Greeting& theirs) {
  server::Greeting mine = theirs;
  mine.from = theirs.to;
  mine.to = theirs.from;
  mine.protocols = server::known_protocols;
  mine.levels = wire::known_levels;
  mine.level = mine.levels.greatest;
  mine.program = "zabkeeper 0.2.0";
  const auto agreed = server::agree(mine, theirs, [](zab::ServerId) { return true; });
  if (agreed.has_error()) {
    ensure(is_loggable(agreed.error().message), "a sentence cannot be logged or sent");
    return;
  }
  ensure(agreed->levels.contains(mine.level) && mine.levels.contains(theirs.level),
         "a server is linked that cannot run at the level");
  ensure(
      theirs.protocols.least <= agreed->protocol && agreed->protocol <= theirs.protocols.greatest,
      "a link speaks a protocol that the other end does not know");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view content(reinterpret_cast<const char*>(data), size);
  const auto received = server::decode_greeting(content);
  if (received.has_error()) return 0;

  const wire::Bytes bytes = written(*received);
  ensure(bytes.size() <= content.size(), "fields were added");
  const auto again = server::decode_greeting(bytes);
  ensure(again.has_value(), "a greeting that was written is not understood");
  ensure(again->form == received->form && again->content == received->content,
         "a greeting would change on its way");

  if (const auto* refused = std::get_if<server::GreetingRefused>(&received->content)) {
    ensure(is_loggable(refused->sentence), "a sentence cannot be logged");
  } else {
    answer(std::get<server::Greeting>(received->content));
  }
  return 0;
}
