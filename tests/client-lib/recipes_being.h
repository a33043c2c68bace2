#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "client-lib/recipes/presence.h"
#include "tests/client-lib/recipes_attempt.h"

// A presence in tests, with its actions as text.
namespace zabkeeper {

using wire::ErrorCode;

inline const std::string other_id(32, 'f');

struct PresenceText {
  std::string operator()(const Ask& ask) const { return RecipeText()(ask); }
  std::string operator()(const Pause&) const { return "pause"; }
  std::string operator()(const Present& present) const {
    return "present " + present.path + ' ' + wire::to_string(present.czxid);
  }
  std::string operator()(const Absent&) const { return "absent"; }
  std::string operator()(const Updated&) const { return "updated"; }
  std::string operator()(const UpdateRefused& refused) const {
    return "update refused " + std::string(wire::name(refused.error.code));
  }
  std::string operator()(const Occupied& occupied) const { return "occupied " + occupied.owner; }
  std::string operator()(const PresenceEnded& ended) const {
    static const char* const names[] = {"removed", "superseded", "session lost", "failed"};
    std::string text = "ended: " + std::string(names[static_cast<std::size_t>(ended.how)]);
    if (ended.error) text += ' ' + std::string(wire::name(ended.error->code));
    return text;
  }
};

inline wire::Bytes node_bytes(const std::string& id, const std::string& owner,
                              const std::string& data = "d") {
  return bytes_of({id, owner, data});
}

// The presence of "me" at /g/me, or below /g, with its actions as text. Replies are for the last
// Ask, unless it is named.
class Being {
 public:
  explicit Being(bool sequential = false)
      : presence_({.path = sequential ? "/g" : "/g/me",
                   .sequential = sequential,
                   .owner = "me",
                   .id = std::string(some_id),
                   .data = "d"}) {}

  std::string begin() { return note(presence_.begin()); }
  std::string update(wire::Bytes data) { return note(presence_.update(std::move(data))); }
  std::string end() { return note(presence_.end()); }
  std::string again() { return note(presence_.again()); }
  std::string connection_lost() { return note(presence_.connection_lost()); }
  std::string session_lost() { return note(presence_.session_lost()); }

  std::string reply_to(std::uint64_t ask, wire::Result<wire::ReplyBody> body) {
    return note(presence_.replied(ask, body, {}));
  }
  std::string fail_at(std::uint64_t ask, ErrorCode code) {
    return reply_to(ask, wire::Error{code, "x"});
  }
  std::string fail(ErrorCode code) { return fail_at(last_, code); }
  std::string found(const wire::Bytes& data, std::uint64_t czxid) {
    wire::Stat stat;
    stat.czxid = at(czxid);
    return reply_to(last_, wire::ReplyBody(wire::GetReply{data, stat}));
  }
  std::string listed(const std::vector<std::pair<std::string, std::optional<wire::Bytes>>>& nodes,
                     bool more = false) {
    wire::ChildrenReply page;
    page.more = more;
    for (const auto& [name, data] : nodes) {
      page.children.push_back({name, {}, data});
      if (data) page.children.back().stat.emplace().czxid = at(5);
    }
    return reply_to(last_, wire::ReplyBody(page));
  }
  std::string created(std::uint64_t czxid, const std::string& path = "/g/me") {
    return reply_to(last_, wire::ReplyBody(created_node(czxid, path)));
  }
  std::string taken_over(std::uint64_t czxid, const std::string& path = "/g/me") {
    wire::MultiReply multi;
    multi.results.emplace_back(wire::OpReply(wire::EmptyReply{}));
    multi.results.emplace_back(wire::OpReply(created_node(czxid, path)));
    return reply_to(last_, wire::ReplyBody(multi));
  }
  std::string watched(std::uint64_t ask, std::optional<std::uint64_t> czxid) {
    wire::WatchReply watch;
    if (czxid) watch.stat.emplace().czxid = at(*czxid);
    return reply_to(ask, wire::ReplyBody(watch));
  }
  std::string done(std::uint64_t ask) { return reply_to(ask, wire::ReplyBody(wire::EmptyReply{})); }
  std::string was_set(std::uint64_t ask) {
    return reply_to(ask, wire::ReplyBody(wire::SetReply{}));
  }
  std::string event(std::uint64_t number, wire::EventKind kind) {
    wire::WatchEvent event;
    event.kind = kind;
    return note(presence_.received(number, event));
  }
  Presence& operator*() { return presence_; }

 private:
  static wire::CreateReply created_node(std::uint64_t czxid, const std::string& path) {
    wire::Stat stat;
    stat.czxid = at(czxid);
    return {path, stat};
  }
  std::string note(const PresenceActions& actions) {
    std::string text;
    for (const PresenceAction& action : actions) {
      if (const auto* ask = std::get_if<Ask>(&action)) last_ = ask->number;
      text += (text.empty() ? "" : "\n") + std::visit(PresenceText(), action);
    }
    return text;
  }

  Presence presence_;
  std::uint64_t last_ = 0;
};

inline std::string look_ask(int number) {
  return R"(ask {"id":)" + std::to_string(number) +
         R"(,"op":"get","path":"/g/me","consistency":"linearizable"})";
}
inline std::string create_ask(int number) {
  return R"(ask {"id":)" + std::to_string(number) +
         R"(,"op":"create","path":"/g/me","data":"ID me\nd","ephemeral":true,"parents":true})";
}
inline std::string watch_ask(int number) {
  return R"(ask {"id":)" + std::to_string(number) +
         R"(,"op":"watch","path":"/g/me","scope":"node","once":true})";
}
inline std::string take_over_ask(int number, const std::string& czxid) {
  return R"(ask {"id":)" + std::to_string(number) +
         R"(,"op":"multi","ops":[{"op":"delete","path":"/g/me"},)"
         R"({"op":"create","path":"/g/me","data":"ID me\nd","ephemeral":true,"parents":true}],)"
         R"("if":[{"path":"/g/me","czxid":")" +
         czxid + R"("}]})";
}
inline std::string remove_ask(int number) {
  return R"(ask {"id":)" + std::to_string(number) +
         R"(,"op":"delete","path":"/g/me","if":[{"path":"/g/me","czxid":"0000010000000007"}]})";
}
inline std::string set_ask(int number, const std::string& data) {
  return R"(ask {"id":)" + std::to_string(number) +
         R"(,"op":"set","path":"/g/me","data":"ID me\n)" + data +
         R"(","if":[{"path":"/g/me","czxid":"0000010000000007"}]})";
}

// The node was created by 7. Ask 3 has set its watch, and is answered.
inline Being present_being() {
  Being being;
  being.begin();
  being.fail(ErrorCode::no_node);
  being.created(7);
  being.watched(3, 7);
  return being;
}

}  // namespace zabkeeper
