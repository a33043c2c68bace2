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

// What clients did and what they were told, as a recording load wrote it down: one JSON object a
// line (docs/reliability.md, "Histories").
namespace history {

using Time = std::int64_t;  // nanoseconds of one monotonic clock
using Zxid = std::uint64_t;

constexpr Time never = std::numeric_limits<Time>::max();

// ok and refused: what the reply says is what happened, or did not. unknown: no reply came, or one
// that does not say whether the request was carried out.
enum class Outcome : std::uint8_t { ok, refused, unknown };

struct Operation {
  std::size_t line = 0;
  std::string client, session;
  std::int64_t connection = 0;  // over which it was answered; if it was not, first asked
  std::int64_t number = 0;      // rises within the session, in the order of asking
  Time invoked = 0, returned = never;
  nlohmann::json request, reply;
  Outcome outcome = Outcome::unknown;

  [[nodiscard]] std::string_view op() const;
  [[nodiscard]] Zxid zxid() const;  // of the reply; 0 without one
};

struct Connect {
  std::size_t line = 0;
  std::string client, asked_session;  // the latter empty if a new one was asked for
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

// Of one connection, in the order in which it came.
struct Message {
  std::size_t line = 0;
  std::optional<std::size_t> operation;  // an index: its reply
  std::optional<std::size_t> event;      // an index
};

struct History {
  std::vector<Operation> operations;
  std::vector<Connect> connects;
  std::vector<Event> events;
  std::map<std::int64_t, std::vector<Message>> messages;  // by connection
  std::size_t faults = 0;
};

// A line that is no part of a history: which, and why.
struct Unreadable : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Throws Unreadable.
History read(std::istream& lines);

// 16 hex digits; throws std::invalid_argument.
Zxid zxid_of(const nlohmann::json& text);

// The data of a request, reply or event: text as it is, base64 with "64:" before it, none as "".
std::string data_of(const nlohmann::json& object);

// "line 7: set /a by x": for complaints.
std::string describe(const Operation& operation);
std::string hex(Zxid zxid);

}  // namespace history
