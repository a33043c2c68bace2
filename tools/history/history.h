#pragma once

#include <cstddef>
#include <cstdint>
#include <istream>
#include <limits>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

// The requests of clients with their replies, and the events they received, as a load recorded
// them: one JSON object a line (docs/reliability.md, "Histories").
namespace history {

using Time = std::int64_t;  // nanoseconds of one monotonic clock
using Zxid = std::uint64_t;

constexpr Time never = std::numeric_limits<Time>::max();

// ok: the reply says that the request was carried out. refused: it says that it was not. unknown:
// there is no reply, or one that does not say whether the request was carried out.
enum class Outcome : std::uint8_t { ok, refused, unknown };

struct Operation {
  std::size_t line = 0;
  std::string client, session;
  std::int64_t connection = 0;  // the one with the reply; without a reply, the first one it used
  std::int64_t number = 0;      // rises within the session, in the order of the requests
  Time invoked = 0, returned = never;
  nlohmann::json request, reply;
  Outcome outcome = Outcome::unknown;

  [[nodiscard]] std::string_view op() const;
  [[nodiscard]] Zxid zxid() const;  // of the reply; 0 without one
};

struct Connect {
  std::size_t line = 0;
  std::string client, wanted_session;  // the latter is empty if a new session was requested
  std::int64_t connection = 0;
  Time invoked = 0, returned = 0;
  nlohmann::json reply;

  [[nodiscard]] bool refused() const { return reply.contains("error"); }
};

struct Event {
  std::size_t line = 0;
  Time at = 0;
  nlohmann::json event;
};

// One message that a connection received, in the order of arrival.
struct Message {
  std::size_t line = 0;
  std::optional<std::size_t> operation;  // the index of the operation that it is the reply to
  std::optional<std::size_t> event;      // the index of the event that it is
};

struct History {
  std::vector<Operation> operations;
  std::vector<Connect> connects;
  std::vector<Event> events;
  std::map<std::int64_t, std::vector<Message>> messages;  // by connection
  std::size_t faults = 0;
};

// A line that cannot be read; the text has its number and the reason.
struct Unreadable : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Throws Unreadable.
History read(std::istream& lines);

// 16 hex digits; throws std::invalid_argument.
Zxid zxid_of(const nlohmann::json& text);

// The data of a request, reply or event: text as it is, base64 after "64:", "" if there are none.
std::string data_of(const nlohmann::json& object);

// For messages: "line 7: set /a by x".
std::string describe(const Operation& operation);
std::string hex(Zxid zxid);

}  // namespace history
