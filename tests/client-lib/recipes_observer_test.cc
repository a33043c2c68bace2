#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "client-lib/recipes/election.h"
#include "client-lib/recipes/observer.h"
#include "tests/client-lib/recipes_attempt.h"

namespace zabkeeper {
namespace {

std::string candidate_name(int number) {
  return std::string(some_id) + "-candidate-000000000" + std::to_string(number);
}

struct ObserverText {
  std::string operator()(const Ask& ask) const { return RecipeText()(ask); }
  std::string operator()(const Pause&) const { return "pause"; }
  std::string operator()(const LeaderChanged& changed) const {
    if (!changed.leader) return "nobody at " + wire::to_string(changed.zxid);
    return wire::to_string(changed.leader->token) + " \"" + changed.leader->value + "\" at " +
           wire::to_string(changed.zxid);
  }
  std::string operator()(const LeaderGap&) const { return "gap"; }
  std::string operator()(const ObserverFailed& failed) const {
    return "failed " + std::string(wire::name(failed.error.code));
  }
};

// An observer of /e, with its actions as text. Replies are for the last Ask.
class Observing {
 public:
  std::string begin() { return note(observer_.begin()); }
  std::string connection_lost() { return note(observer_.connection_lost()); }
  std::string again() { return note(observer_.again()); }
  std::string reply(wire::Result<wire::ReplyBody> body, std::uint64_t counter) {
    return note(observer_.replied(last_, body, at(counter)));
  }
  std::string fail(wire::ErrorCode code) { return reply(wire::Error{code, "x"}, 1); }
  std::string watched(std::uint64_t counter) {
    return reply(wire::ReplyBody(wire::WatchReply()), counter);
  }
  std::string listed(const std::vector<int>& numbers, std::uint64_t counter, bool more = false) {
    wire::ChildrenReply reply_to_list;
    for (const int number : numbers) {
      wire::Child child{candidate_name(number), wire::Stat(), wire::Bytes("v")};
      child.stat->czxid = at(10 + static_cast<std::uint64_t>(number));
      reply_to_list.children.push_back(child);
    }
    reply_to_list.more = more;
    return reply(wire::ReplyBody(reply_to_list), counter);
  }
  // An event of the watch that this Ask has set.
  std::string event(std::uint64_t ask, wire::EventKind kind, int number, std::uint64_t counter,
                    const std::string& value = "v") {
    wire::WatchEvent event;
    event.kind = kind;
    event.path = "/e/" + candidate_name(number);
    event.zxid = at(counter);
    if (kind != wire::EventKind::deleted && kind != wire::EventKind::resync) {
      event.data = wire::Bytes(value);
      event.stat.emplace().czxid = at(10 + static_cast<std::uint64_t>(number));
    }
    return note(observer_.received(ask, event));
  }

 private:
  std::string note(const ObserverActions& actions) {
    std::string text;
    for (const ObserverAction& action : actions) {
      if (const auto* ask = std::get_if<Ask>(&action)) last_ = ask->number;
      text += (text.empty() ? "" : "\n") + std::visit(ObserverText(), action);
    }
    return text;
  }

  Observer observer_{"/e"};
  std::uint64_t last_ = 0;
};

const char* const list_2 =
    R"(ask {"id":2,"op":"children","path":"/e","withStat":true,"withData":true})";

// Candidates 1 and 2, at zxid 20.
Observing following() {
  Observing observing;
  observing.begin();
  observing.watched(19);
  observing.listed({1, 2}, 20);
  return observing;
}

}  // namespace

TEST_CASE("an observer is told the leader, then each other leader and each value") {
  Observing observing;
  CHECK(observing.begin() ==
        R"(ask {"id":1,"op":"watch","path":"/e","scope":"subtree","withData":true})");
  CHECK(observing.watched(19) == list_2);
  CHECK(observing.listed({2, 1}, 20) == "1:11 \"v\" at 1:20");
  CHECK(observing.event(1, wire::EventKind::created, 3, 21) == "");
  CHECK(observing.event(1, wire::EventKind::changed, 1, 22, "w") == "1:11 \"w\" at 1:22");
  CHECK(observing.event(1, wire::EventKind::changed, 2, 23, "x") == "");
  CHECK(observing.event(1, wire::EventKind::deleted, 1, 24) == "1:12 \"x\" at 1:24");
  CHECK(observing.event(1, wire::EventKind::deleted, 3, 25) == "");
  CHECK(observing.event(1, wire::EventKind::deleted, 2, 26) == "nobody at 1:26");
  CHECK(observing.event(1, wire::EventKind::created, 4, 27) == "1:14 \"v\" at 1:27");
}

TEST_CASE("after a lost connection an observer asks for the events that it may have missed") {
  Observing observing = following();
  observing.event(1, wire::EventKind::deleted, 1, 30);
  CHECK(observing.connection_lost() ==
        R"(ask {"id":3,"op":"watch","path":"/e","scope":"subtree","withData":true,)"
        R"("from":"000001000000001d"})");
  CHECK(observing.connection_lost() == "");
  // The event of the last transaction comes again.
  CHECK(observing.event(3, wire::EventKind::deleted, 1, 30) == "");
  CHECK(observing.event(3, wire::EventKind::deleted, 2, 31) == "nobody at 1:31");
  CHECK(observing.event(1, wire::EventKind::created, 3, 32) == "");
  CHECK(observing.watched(40) == "");
  CHECK(observing.connection_lost() ==
        R"(ask {"id":4,"op":"watch","path":"/e","scope":"subtree","withData":true,)"
        R"("from":"0000010000000028"})");
}

TEST_CASE("if events are missing, an observer is told one gap, and then the present leader") {
  Observing observing = following();
  CHECK(observing.event(1, wire::EventKind::resync, 1, 30) ==
        "gap\n"
        R"(ask {"id":3,"op":"children","path":"/e","withStat":true,"withData":true})");
  CHECK(observing.event(1, wire::EventKind::resync, 1, 31) ==
        R"(ask {"id":4,"op":"children","path":"/e","withStat":true,"withData":true})");
  CHECK(observing.listed({2}, 32) == "1:12 \"v\" at 1:32");
}

TEST_CASE("an event may come before the reply to an earlier list") {
  Observing observing;
  observing.begin();
  observing.watched(19);
  CHECK(observing.event(1, wire::EventKind::created, 1, 20) == "");
  CHECK(observing.event(1, wire::EventKind::deleted, 1, 22) == "");
  CHECK(observing.event(1, wire::EventKind::created, 3, 23) == "");
  CHECK(observing.listed({1, 2}, 21) == "1:12 \"v\" at 1:23");
}

TEST_CASE("the candidates are listed in pages, with the events between them") {
  Observing observing;
  observing.begin();
  observing.watched(19);
  CHECK(observing.listed({3, 4}, 20, true) ==
        R"(ask {"id":3,"op":"children","path":"/e","withStat":true,"withData":true,)"
        R"("after":"ID-candidate-0000000004"})");
  CHECK(observing.event(1, wire::EventKind::deleted, 3, 21) == "");
  CHECK(observing.listed({5}, 22) == "1:14 \"v\" at 1:22");
}

TEST_CASE("an election without candidates has no leader") {
  Observing observing;
  observing.begin();
  observing.watched(19);
  CHECK(observing.fail(wire::ErrorCode::no_node) == "nobody at 1:1");
}

TEST_CASE("an observer asks again after a lost reply, and gives up when it is refused") {
  Observing lost;
  lost.begin();
  CHECK(lost.fail(wire::ErrorCode::connection_loss) ==
        R"(ask {"id":2,"op":"watch","path":"/e","scope":"subtree","withData":true})");
  CHECK(lost.fail(wire::ErrorCode::overloaded) == "pause");
  CHECK(lost.again() ==
        R"(ask {"id":3,"op":"watch","path":"/e","scope":"subtree","withData":true})");
  CHECK(lost.fail(wire::ErrorCode::too_many_watches) == "failed TooManyWatches");
  CHECK(lost.again() == "");

  Observing listing;
  listing.begin();
  listing.watched(19);
  CHECK(listing.fail(wire::ErrorCode::overloaded) == "pause");
  CHECK(listing.again() ==
        R"(ask {"id":3,"op":"children","path":"/e","withStat":true,"withData":true})");
}

TEST_CASE("a candidate's node has its value, and only the leader's guard changes it") {
  Attempt attempt(election_queue("/l", some_id, "a:1"));
  CHECK(attempt.want() ==
        R"(ask {"id":1,"op":"create","path":"/l/ID-candidate-","data":"a:1","ephemeral":true,)"
        R"("sequential":true,"parents":true,"turn":{}})");
  attempt.created(true, node_path("candidate-"));
  const Proclamation proclamation = proclaim(*(*attempt).grant(), "a:2");
  CHECK(proclamation.request == wire::SetRequest{node_path("candidate-"), "a:2"});
  CHECK(proclamation.conditions == std::vector{(*attempt).grant()->guard()});
}

}  // namespace zabkeeper
