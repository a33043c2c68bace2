#include "client-lib/conversation.h"

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>

#include <doctest/doctest.h>

#include "tests/support/sources.h"
#include "wire/json.h"

namespace zabkeeper {
namespace {

constexpr std::string_view stat_json =
    R"({"czxid":"0000010000000001","mzxid":"0000010000000001","pzxid":"0000010000000001",)"
    R"("ctime":0,"mtime":0,"version":0,"cversion":0,"aversion":0,)"
    R"("ephemeralOwner":"0000000000000000","dataLength":1,"numChildren":0})";

// Transcripts have STAT in place of a stat whose fields do not matter.
std::string replaced(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
  return text;
}

std::string text_of(const wire::ServerMessage& message) {
  std::string text;
  wire::json::write(message, text);
  return replaced(std::move(text), stat_json, "STAT");
}

// A long frame is cut short.
std::string frame_text(const std::string& frame) {
  constexpr std::size_t bytes_max = 300;
  if (frame.size() <= bytes_max) return frame;
  return frame.substr(0, 48) + "... (" + std::to_string(frame.size()) + " bytes)";
}

struct Print {
  std::string operator()(const Send& send) const { return "send " + frame_text(send.frame); }
  std::string operator()(const CloseSocket& close) const { return "close socket: " + close.reason; }
  std::string operator()(const Complete& complete) const {
    return "done " +
           text_of(wire::Reply{
               {std::to_string(complete.ticket.value)}, complete.zxid, {}, complete.result});
  }
  std::string operator()(const Deliver& deliver) const {
    const std::string last = deliver.last ? " (last)" : "";
    if (deliver.event.has_error()) {
      return "watch " + std::to_string(deliver.ticket.value) +
             " ended: " + deliver.event.error().message + last;
    }
    return "event " + text_of(*deliver.event) + last;
  }
  std::string operator()(const LearnServers& learn) const {
    std::string text = "servers";
    for (const std::string& url : learn.urls) text += ' ' + url;
    return text;
  }
  std::string operator()(const SessionEvent& event) const {
    switch (event.kind) {
      case SessionEvent::Kind::connected:
        return "session " + wire::to_hex(event.session.value) + " connected to " +
               std::to_string(event.server) + ", a " + std::string(wire::name(event.role)) +
               (event.resumed ? ", resumed" : "");
      case SessionEvent::Kind::disconnected: return "session disconnected: " + event.reason;
      case SessionEvent::Kind::expired: return "session expired: " + event.reason;
      case SessionEvent::Kind::closed: return "session closed";
    }
    return {};
  }
};

Conversation::Time time_of(std::int64_t ms) {
  return Conversation::Time() + std::chrono::milliseconds(ms);
}

// `now` is in milliseconds.
Actions run(const std::string& command, Conversation& conversation, std::int64_t& now) {
  const std::size_t space = command.find(' ');
  const std::string verb = command.substr(0, space);
  const std::string rest = space == std::string::npos ? "" : command.substr(space + 1);
  if (verb == "at") {
    now = std::stoi(rest);
    return {};
  }
  if (verb == "deadline") return conversation.deadline_passed(time_of(now));
  if (verb == "open") return conversation.socket_opened(time_of(now));
  if (verb == "<") return conversation.received(replaced(rest, "STAT", stat_json));
  if (verb == "lost") return conversation.socket_lost({rest});
  if (verb == "reply-too-large") return conversation.socket_lost({rest, 0, true});
  if (verb == "closed") {  // by the server: its status, and the reason
    return conversation.socket_lost({rest.substr(5), static_cast<std::uint16_t>(std::stoi(rest))});
  }
  if (verb == "heartbeat") return conversation.heartbeat(time_of(now));
  if (verb == "fail-pending") return conversation.fail_pending(rest);
  if (verb == "set-kib") {  // a set of so many KiB
    Actions actions;
    const std::string data(static_cast<std::size_t>(std::stoi(rest)) * 1024, 'x');
    conversation.request(wire::SetRequest{"/large", data}, actions);
    return actions;
  }
  REQUIRE_MESSAGE(verb == "request", command);
  const auto frame = wire::json::parse_requests(R"({"id":0,"op":)" + rest + "}");
  REQUIRE_MESSAGE(frame.requests.front().has_value(),
                  command << ": " << frame.requests.front().error().error.message);
  Actions actions;
  conversation.request(frame.requests.front()->request, actions);
  return actions;
}

std::string replay(std::istream& story) {
  SessionOptions options;
  std::optional<Conversation> conversation;
  std::int64_t now = 0;
  std::optional<Conversation::Time> deadline;
  std::string actual, line;
  while (std::getline(story, line)) {
    actual += line + '\n';
    if (line.empty() || line[0] == '#') continue;
    const std::string command = line;
    std::getline(story, line);  // the ----
    while (std::getline(story, line) && !line.empty()) {
    }  // what was expected
    actual += "----\n";
    if (command.starts_with("withdraw ")) {
      const Ticket ticket{std::stoul(command.substr(9))};
      Actions actions;
      actual += conversation->withdraw(ticket, actions) ? "withdrawn\n" : "not withdrawn\n";
      for (const Action& action : actions) actual += std::visit(Print{}, action) + '\n';
    } else if (command == "option no-dedup") {
      options.dedup = false;
    } else if (command == "option read-only") {
      options.read_only = true;
    } else if (command == "option after-expiry") {
      options.after_expiry = true;
    } else {
      if (!conversation) conversation.emplace(options);
      for (const Action& action : run(command, *conversation, now)) {
        actual += std::visit(Print{}, action) + '\n';
      }
      if (conversation->deadline() != deadline) {
        deadline = conversation->deadline();
        actual += deadline
                      ? "safe until " +
                            std::to_string((*deadline - time_of(0)).count() / 1'000'000) + " ms\n"
                      : "not known to be safe\n";
      }
    }
    actual += '\n';
  }
  return actual;
}

TEST_CASE("every conversation transcript has the output that it shows") {
  const std::filesystem::path folder = support::source("tests/client-lib/transcripts");
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    CAPTURE(entry.path().filename().string());
    std::ifstream file(entry.path());
    std::stringstream expected;
    expected << file.rdbuf();
    std::istringstream story(expected.str());
    const std::string actual = replay(story);
    if (std::getenv("ZABKEEPER_REWRITE")) {
      std::ofstream(entry.path()) << actual;
    } else {
      CHECK(actual == expected.str());
    }
  }
}

}  // namespace
}  // namespace zabkeeper
