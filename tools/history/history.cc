#include "tools/history/history.h"

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>

namespace history {
namespace {

using nlohmann::json;

// Errors that prove that a write was not carried out.
constexpr std::array<std::string_view, 11> refusals = {
    "BadArguments", "NoNode",   "NoAuth",   "BadVersion",    "NoChildrenForEphemerals",
    "NodeExists",   "NotEmpty", "TooLarge", "QuotaExceeded", "InvalidAcl",
    "Overloaded"};

Outcome outcome_of(const json& reply) {
  if (reply.is_null()) return Outcome::unknown;
  if (!reply.contains("error")) return Outcome::ok;
  const std::string error = reply.at("error");
  for (const std::string_view name : refusals) {
    if (error == name) return Outcome::refused;
  }
  return Outcome::unknown;
}

void read_line(const json& line, std::size_t number, History& history) {
  if (line.contains("fault")) {
    history.faults += 1;
  } else if (line.contains("ended")) {
    history.messages[line.at("conn")];
  } else if (line.contains("event")) {
    history.messages[line.at("conn")].push_back({number, {}, history.events.size()});
    history.events.push_back({number, line.at("at"), line.at("event")});
  } else if (line.contains("connected") || line.contains("refused")) {
    Connect connect{number,
                    line.at("client"),
                    line.value("session", ""),
                    line.at("conn"),
                    line.at("invoke"),
                    line.at("return"),
                    line.contains("refused") ? line.at("refused") : line.at("connected")};
    history.messages[connect.connection];
    history.connects.push_back(std::move(connect));
  } else {
    Operation operation{number,
                        line.at("client"),
                        line.at("session"),
                        line.at("conn"),
                        line.at("op"),
                        line.at("invoke"),
                        never,
                        line.at("request"),
                        line.value("reply", json{}),
                        {}};
    if (!operation.reply.is_null()) operation.returned = line.at("return");
    operation.outcome = outcome_of(operation.reply);
    if (!operation.reply.is_null()) {
      history.messages[operation.connection].push_back({number, history.operations.size(), {}});
    }
    history.operations.push_back(std::move(operation));
  }
}

}  // namespace

std::string_view Operation::op() const { return request.at("op").get_ref<const std::string&>(); }

Zxid Operation::zxid() const { return reply.contains("zxid") ? zxid_of(reply.at("zxid")) : 0; }

History read(std::istream& lines) {
  History history;
  std::string text;
  errno = 0;
  for (std::size_t number = 1; std::getline(lines, text); ++number) {
    if (text.empty() || text[0] == '#') continue;
    try {
      read_line(json::parse(text), number, history);
    } catch (const std::exception& error) {
      throw Unreadable("line " + std::to_string(number) + ": " + error.what());
    }
  }
  if (lines.bad()) {
    const std::string reason = errno == 0 ? "a read failed" : std::strerror(errno);
    throw Unreadable("cannot read the file to its end: " + reason);
  }
  return history;
}

Zxid zxid_of(const json& value) {
  const auto& text = value.get_ref<const std::string&>();
  Zxid zxid = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), zxid, 16);
  if (error != std::errc{} || end != text.data() + text.size() || text.size() != 16) {
    throw std::invalid_argument("\"" + text + "\" is not 16 hex digits");
  }
  return zxid;
}

std::string data_of(const json& object) {
  if (object.contains("data64")) return "64:" + object.at("data64").get<std::string>();
  return object.value("data", "");
}

std::string describe(const Operation& operation) {
  std::string text = "line " + std::to_string(operation.line) + ": ";
  text += operation.op();
  if (operation.request.contains("path")) {
    text += " " + operation.request.at("path").get<std::string>();
  }
  return text + " by " + operation.client;
}

std::string hex(Zxid zxid) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text(16, '0');
  for (std::size_t i = 16; i-- > 0; zxid >>= 4U) text[i] = digits[zxid & 15U];
  return text;
}

}  // namespace history
