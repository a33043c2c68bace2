#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "server/peers/linked_server.h"
#include "wire/bytes.h"
#include "wire/forms.h"
#include "wire/result.h"
#include "zab/credentials.h"
#include "zab/ensemble.h"

// The greetings with which a connection between two servers begins, and their bytes. See
// handshake.h for who sends which, and agreement.h for who is refused.
namespace server {

// Versions of the peer protocol: of what is sent over a link.
struct ProtocolRange {
  std::uint16_t least = 0;
  std::uint16_t greatest = 0;

  bool operator==(const ProtocolRange&) const = default;
};

// The versions that this program speaks. 4 adds ClockReading. 5 adds ConfirmTouches and
// TouchesConfirmed.
inline constexpr ProtocolRange known_protocols{2, 5};

// "protocol 2", "protocols 2 to 3".
[[nodiscard]] std::string to_string(const ProtocolRange& range);

// What a server tells another one about itself.
struct Greeting {
  zab::ServerId from;
  zab::ServerId to;            // the server that the sender expects at the other end
  std::uint64_t ensemble = 0;  // fingerprint() of the sender's configuration
  zab::ClusterId cluster;      // none if the sender does not know that it belongs to one
  ProtocolRange protocols;
  wire::LevelRange levels;  // at which the sender's program can run
  wire::Level level;        // at which the other program must be able to run
  std::string program;      // "zabkeeper 0.2.0": 1 to program_bytes_max printable ASCII characters
  // A random number of the sender's process. 0 if the sender does not send one.
  std::uint64_t instance = 0;

  bool operator==(const Greeting&) const = default;
};

// Why the sender closes the connection, instead of its greeting or after it.
struct GreetingRefused {
  std::string sentence;  // at most sentence_bytes_max printable ASCII characters

  bool operator==(const GreetingRefused&) const = default;
};

// How a greeting is written. Version 0.1 knows only `fixed`. It closes a connection over which it
// receives `fields`.
enum class GreetingForm : std::uint16_t {
  fixed = 2,   // from, to, ensemble and cluster; cannot say GreetingRefused
  fields = 3,  // each field with its tag and length, in any order
};

inline constexpr std::size_t greeting_bytes_max = 4096;
inline constexpr std::size_t program_bytes_max = 64;
inline constexpr std::size_t sentence_bytes_max = 512;

// The range and the program of a server that greets in the fixed form.
inline constexpr ProtocolRange old_protocols{2, 2};
inline constexpr wire::LevelRange old_levels{{0}, {0}};
inline constexpr const char* old_program = "zabkeeper 0.1";

struct ReceivedGreeting {
  GreetingForm form = GreetingForm::fields;
  std::variant<Greeting, GreetingRefused> content;
};

// Appends the content of the frame that says this. The program and the sentence are written as
// `printable` returns them.
void encode(const Greeting& greeting, GreetingForm form, wire::Bytes& out);
void encode(const GreetingRefused& refused, wire::Bytes& out);

// Reads the content of a frame. Skips fields that this program does not know. An error says, for
// people, why these bytes are no greeting.
[[nodiscard]] wire::Result<ReceivedGreeting> decode_greeting(std::string_view content);

// Whether the content begins like a greeting of this form.
[[nodiscard]] bool begins_as(GreetingForm form, std::string_view content);

// The text with '?' in place of all that is not printable ASCII, and no longer than `bytes_max`.
[[nodiscard]] std::string printable(std::string_view text, std::size_t bytes_max);

// A hash of the configured members. Servers with different members would count different quorums,
// so they must not be linked.
[[nodiscard]] std::uint64_t fingerprint(const std::vector<LinkedServer>& servers);

}  // namespace server
