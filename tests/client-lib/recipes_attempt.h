#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "client-lib/recipes/acquisition.h"
#include "wire/json.h"

namespace zabkeeper {

inline constexpr std::string_view some_id = "0123456789abcdef0123456789abcdef";

constexpr wire::Zxid at(std::uint64_t counter) { return {{1}, counter}; }

// The id of the acquisition is shortened to ID, and its name is left out of requests.
inline std::string shortened(std::string text) {
  for (std::size_t i; (i = text.find(some_id)) != std::string::npos;) {
    text.replace(i, some_id.size(), "ID");
  }
  return text;
}

struct RecipeText {
  std::string operator()(const Ask& ask) const {
    std::string text;
    wire::json::write(
        wire::ClientRequest{{std::to_string(ask.number)}, {}, ask.request, ask.conditions}, text);
    return "ask " + shortened(text);
  }
  std::string operator()(const Pause&) const { return "pause"; }
  std::string operator()(const Waiting&) const { return "waiting"; }
  std::string operator()(const Held& held) const { return "held" + text_of(held.grant); }
  std::string operator()(const Downgraded& reader) const {
    return "downgraded" + text_of(reader.grant);
  }
  std::string operator()(const Refused& refused) const {
    return "refused: " + refused.error.message;
  }
  std::string operator()(const Lost& lost) const { return "lost: " + lost.reason; }
  std::string operator()(const Ended& ended) const {
    static const char* const names[] = {"released", "cancelled", "not acquired", "lost", "failed"};
    std::string text = "ended: " + std::string(names[static_cast<std::size_t>(ended.how)]);
    if (ended.error) text += ' ' + std::string(wire::name(ended.error->code));
    return text;
  }

 private:
  static std::string text_of(const Grant& grant) {
    return ' ' + shortened(grant.path) + " token " + wire::to_string(grant.token) + " guard " +
           wire::to_string(*grant.guard().tests.czxid);
  }
};

inline std::string text_of(const RecipeActions& actions) {
  std::string text;
  for (const RecipeAction& action : actions) {
    text += (text.empty() ? "" : "\n") + std::visit(RecipeText(), action);
  }
  return text;
}

// The node of an acquisition below /l.
inline std::string node_path(const std::string& kind) {
  return "/l/" + std::string(some_id) + '-' + kind + "0000000003";
}

// An acquisition, with its actions as text. Replies and events are for the last Ask.
class Attempt {
 public:
  explicit Attempt(QueueOptions options) : acquisition_(std::move(options)) {}

  std::string want() { return note(acquisition_.want()); }
  std::string release() { return note(acquisition_.release()); }
  std::string downgrade() { return note(acquisition_.downgrade()); }
  std::string again() { return note(acquisition_.again()); }
  std::string connection_lost() { return note(acquisition_.connection_lost()); }
  std::string session_lost() { return note(acquisition_.session_lost()); }
  std::string deadline_passed() { return note(acquisition_.deadline_passed()); }

  std::string reply(wire::Result<wire::ReplyBody> body) {
    return note(acquisition_.replied(last_, body));
  }
  std::string fail(wire::ErrorCode code) { return reply(wire::Error{code, "x"}); }
  std::string created(std::optional<bool> turn, const std::string& path = node_path("lock-")) {
    wire::Stat stat;
    stat.czxid = at(7);
    return reply(wire::ReplyBody(wire::CreateReply{path, stat, turn}));
  }
  std::string watched(std::optional<wire::Zxid> czxid, std::optional<bool> turn = {}) {
    wire::WatchReply watch{{}, {}, turn};
    if (czxid) watch.stat.emplace().czxid = *czxid;
    return reply(wire::ReplyBody(watch));
  }
  std::string found(std::vector<std::string> paths) {
    return reply(wire::ReplyBody(wire::EphemeralsReply{std::move(paths)}));
  }
  std::string done() { return reply(wire::ReplyBody(wire::EmptyReply{})); }
  // An event of the watch that this Ask has set.
  std::string event(std::uint64_t number, wire::EventKind kind) {
    wire::WatchEvent event;
    event.kind = kind;
    return note(acquisition_.received(number, event));
  }
  std::string event(wire::EventKind kind) { return event(last_, kind); }

  Acquisition& operator*() { return acquisition_; }

 private:
  std::string note(const RecipeActions& actions) {
    for (const RecipeAction& action : actions) {
      if (const auto* ask = std::get_if<Ask>(&action)) last_ = ask->number;
    }
    return text_of(actions);
  }

  Acquisition acquisition_;
  std::uint64_t last_ = 0;
};

}  // namespace zabkeeper
