#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <doctest/doctest.h>

#include "client-lib/recipes/double_barrier.h"
#include "tests/client-lib/recipes_attempt.h"

namespace zabkeeper {
namespace {

std::string entry_node(const std::string& number) {
  return std::string(some_id) + "-entry-000000000" + number;
}

std::string text_of_double(const DoubleBarrierActions& actions) {
  std::string text;
  for (const DoubleBarrierAction& action : actions) {
    text += text.empty() ? "" : "\n";
    if (const auto* ask = std::get_if<Ask>(&action)) text += RecipeText()(*ask);
    if (std::holds_alternative<Pause>(action)) text += "pause";
    if (std::holds_alternative<Waiting>(action)) text += "waiting";
    if (std::holds_alternative<Entered>(action)) text += "entered";
    if (const auto* left = std::get_if<Left>(&action)) {
      text += "left " + wire::to_string(left->generation);
    }
    if (const auto* ended = std::get_if<Ended>(&action)) text += RecipeText()(*ended);
  }
  return text;
}

// One of two participants of /d, with its actions as text.
class Attendance {
 public:
  std::string begin() { return text_of_double(barrier_.begin()); }
  std::string leave() { return text_of_double(barrier_.leave()); }
  std::string stop() { return text_of_double(barrier_.stop()); }
  std::string again() { return text_of_double(barrier_.again()); }
  std::string connection_lost() { return text_of_double(barrier_.connection_lost()); }
  std::string session_lost() { return text_of_double(barrier_.session_lost()); }
  std::string reply(std::uint64_t ask, wire::Result<wire::ReplyBody> body) {
    return text_of_double(barrier_.replied(ask, body, at(20)));
  }
  std::string fail(std::uint64_t ask, wire::ErrorCode code) {
    return reply(ask, wire::Error{code, "x"});
  }
  std::string created(std::uint64_t ask, const std::string& number, std::optional<bool> turn) {
    return reply(ask, wire::ReplyBody(wire::CreateReply{"/d/" + entry_node(number), {}, turn}));
  }
  std::string turn(std::uint64_t ask, bool turn) {
    wire::WatchReply watch{{}, wire::Stat(), turn};
    watch.stat->czxid = at(9);
    return reply(ask, wire::ReplyBody(watch));
  }
  std::string listed(std::uint64_t ask, const std::vector<std::string>& names) {
    wire::ChildrenReply list;
    for (const std::string& name : names) list.children.push_back({name, {}, {}});
    return reply(ask, wire::ReplyBody(list));
  }
  std::string found(std::uint64_t ask, std::vector<std::string> paths) {
    return reply(ask, wire::ReplyBody(wire::EphemeralsReply{std::move(paths)}));
  }
  std::string done(std::uint64_t ask) { return reply(ask, wire::ReplyBody(wire::MultiReply())); }
  std::string failed_at(std::uint64_t ask, std::size_t index, wire::ErrorCode code) {
    wire::MultiReply multi;
    multi.failed = index;
    multi.results.assign(index + 1, wire::Error{code, "x"});
    return reply(ask, wire::ReplyBody(multi));
  }
  std::string deleted(std::uint64_t ask) { return reply(ask, wire::ReplyBody(wire::EmptyReply())); }
  std::string event(std::uint64_t ask, wire::EventKind kind) {
    wire::WatchEvent event;
    event.kind = kind;
    return text_of_double(barrier_.received(ask, event));
  }

  Participant& operator*() { return barrier_; }

 private:
  Participant barrier_{{.path = "/d", .id = std::string(some_id), .participants = 2}};
};

std::string ask_text(int ask, const std::string& rest) {
  return R"(ask {"id":)" + std::to_string(ask) + ',' + rest + '}';
}
std::string creation_of_entry(int ask) {
  return ask_text(ask, R"("op":"create","path":"/d/ID-entry-","data":"","ephemeral":true,)"
                       R"("sequential":true,"turn":{"among":["gate-"]})");
}
std::string turn_of_entry(int ask, const std::string& number) {
  return ask_text(ask, R"("op":"watch","path":"/d/ID-entry-000000000)" + number +
                           R"(","scope":"turn","among":["gate-"])");
}
std::string turn_of_exit(int ask, const std::string& number) {
  return ask_text(ask, R"("op":"watch","path":"/d/exit-000000000)" + number +
                           R"(","scope":"turn","among":["entry-"])");
}
std::string search_of_exit(int ask) {
  return ask_text(ask, R"("op":"children","path":"/d","after":"exit-","before":"exit.","limit":1)");
}
std::string list_after(int ask, const std::string& number) {
  return ask_text(ask, R"("op":"children","path":"/d","after":"gate-000000000)" + number +
                           R"(","order":"sequence","limit":3)");
}
std::string opening(int ask, const std::string& a, const std::string& b) {
  return ask_text(ask, R"("op":"multi","ops":[)"
                       R"({"op":"check","path":"/d/ID-entry-000000000)" +
                           a + R"("},{"op":"check","path":"/d/ID-entry-000000000)" + b +
                           R"("},{"op":"delete","path":"/d/gate-0000000000"},)"
                           R"({"op":"delete","path":"/d/exit-0000000001"},)"
                           R"({"op":"create","path":"/d/gate-000000000)" +
                           b + R"(","data":""},{"op":"create","path":"/d/exit-000000000)" +
                           std::to_string(std::stoi(b) + 1) + R"(","data":""}])");
}
std::string removal_of_entry(int ask, const std::string& number) {
  return ask_text(ask, R"("op":"delete","path":"/d/ID-entry-000000000)" + number + '"');
}
std::string search_of_entry(int ask) {
  return ask_text(ask, R"("op":"ephemerals","prefix":"/d/ID-")");
}

// It knows nothing, and looks for the exit with Ask 2.
Attendance waiting_participant() {
  Attendance one;
  one.begin();
  one.created(1, "3", false);
  return one;
}
// The exit is known, and watched by Ask 3.
Attendance inside_participant() {
  Attendance one = waiting_participant();
  one.event(1, wire::EventKind::turn);
  one.listed(3, {"exit-0000000004"});
  one.turn(4, false);
  return one;
}

}  // namespace

TEST_CASE("the participant that completes a generation opens the gate of a double barrier") {
  Attendance one;
  CHECK(one.begin() == creation_of_entry(1));
  CHECK(one.created(1, "3", false) == "waiting\n" + search_of_exit(2));
  CHECK(one.listed(2, {"exit-0000000001"}) == turn_of_exit(3, "1"));
  CHECK(one.turn(3, true) == list_after(4, "0"));
  CHECK(one.listed(4, {"exit-0000000001", entry_node("2"), entry_node("3")}) ==
        opening(5, "2", "3"));
  CHECK(one.event(1, wire::EventKind::turn) == "entered\n" + turn_of_exit(6, "5"));
  CHECK(one.done(5) == "");
  // The first generation has other numbers than later ones.
  CHECK(one.fail(6, wire::ErrorCode::no_node) == search_of_exit(7));
  CHECK(one.listed(7, {"exit-0000000004"}) == turn_of_exit(8, "4"));
  CHECK(one.turn(8, false) == "");
  CHECK(one.leave() == removal_of_entry(9, "3"));
  CHECK(one.deleted(9) == "");
  CHECK(one.event(8, wire::EventKind::turn) == "left 1:9");
}

TEST_CASE("a later generation of a double barrier needs three requests of a participant") {
  Attendance one = inside_participant();
  one.leave();
  one.deleted(5);
  one.event(4, wire::EventKind::turn);
  CHECK(one.begin() == creation_of_entry(6));
  // There is no other entry behind the exit yet.
  CHECK(one.created(6, "5", false) == "waiting");
  CHECK(one.event(6, wire::EventKind::turn) == "entered\n" + turn_of_exit(7, "8"));
  CHECK(one.leave() == "");
  CHECK(one.turn(7, false) == removal_of_entry(8, "5"));
  CHECK(one.event(7, wire::EventKind::turn) == "left 1:9");
  CHECK(one.deleted(8) == "");

  // The last one of a generation lists the entries, and asks nothing about the exit.
  CHECK(one.begin() == creation_of_entry(9));
  CHECK(one.reply(9, wire::ReplyBody(wire::CreateReply{
                         "/d/" + std::string(some_id) + "-entry-0000000011", {}, false})) ==
        "waiting\n" + list_after(10, "7"));
}

TEST_CASE("the gate of a double barrier stays closed until all have left, and enough have begun") {
  Attendance one = waiting_participant();
  CHECK(one.listed(2, {"exit-0000000001"}) == turn_of_exit(3, "1"));
  CHECK(one.turn(3, false) == "");
  CHECK(one.event(3, wire::EventKind::turn) == list_after(4, "0"));
  CHECK(one.listed(4, {"exit-0000000001", entry_node("3")}) == "");
  CHECK(one.event(1, wire::EventKind::turn).starts_with("entered\n"));
}

TEST_CASE("a generation without one of its participants is not opened") {
  Attendance one = waiting_participant();
  one.listed(2, {"exit-0000000001"});
  one.turn(3, true);
  one.listed(4, {"exit-0000000001", entry_node("2"), entry_node("3"), entry_node("4")});
  CHECK(one.failed_at(5, 0, wire::ErrorCode::no_node) == list_after(6, "0"));
  CHECK(one.listed(6, {"exit-0000000001", entry_node("3"), entry_node("4")}) ==
        opening(7, "3", "4"));
  // Another participant was faster, and the next generation may be complete.
  CHECK(one.failed_at(7, 2, wire::ErrorCode::no_node) == search_of_exit(8));
  CHECK(one.fail(8, wire::ErrorCode::connection_loss) == search_of_exit(9));
  CHECK(one.listed(9, {"exit-0000000003"}) == turn_of_exit(10, "3"));
  CHECK(one.fail(10, wire::ErrorCode::no_node) == search_of_exit(11));
  CHECK(one.listed(11, {"exit-0000000004"}) == "");
}

TEST_CASE("the opening of a double barrier is looked for again after each loss") {
  Attendance one = waiting_participant();
  CHECK(one.fail(2, wire::ErrorCode::overloaded) == "pause");
  CHECK(one.again() == search_of_exit(3));
  one.listed(3, {"exit-0000000001"});
  CHECK(one.fail(4, wire::ErrorCode::connection_loss) == turn_of_exit(5, "1"));
  one.turn(5, false);
  CHECK(one.connection_lost() == turn_of_entry(6, "3") + '\n' + turn_of_exit(7, "1"));
  CHECK(one.turn(6, false) == "waiting");
  CHECK(one.event(1, wire::EventKind::turn) == "");
  CHECK(one.turn(7, false) == "");
  CHECK(one.event(7, wire::EventKind::resync) == turn_of_exit(8, "1"));
  CHECK(one.turn(8, true) == list_after(9, "0"));
  CHECK(one.fail(9, wire::ErrorCode::overloaded) == "pause");
  CHECK(one.again() == list_after(10, "0"));
  one.listed(10, {"exit-0000000001", entry_node("2"), entry_node("3")});
  CHECK(one.fail(11, wire::ErrorCode::connection_loss) == search_of_exit(12));
  // It was opened.
  CHECK(one.listed(12, {"exit-0000000004"}) == "");
  CHECK(one.event(6, wire::EventKind::turn) == "entered\n" + search_of_exit(13));
}

TEST_CASE("the path of a double barrier is set up once") {
  Attendance one;
  one.begin();
  const std::string set_up =
      ask_text(2, R"("op":"multi","ops":[{"op":"create","path":"/d","data":"","parents":true},)"
                  R"({"op":"create","path":"/d/gate-0000000000","data":""},)"
                  R"({"op":"create","path":"/d/exit-0000000001","data":""}])");
  CHECK(one.fail(1, wire::ErrorCode::no_node) == set_up);
  CHECK(one.failed_at(2, 0, wire::ErrorCode::node_exists) == creation_of_entry(3));
  one.fail(3, wire::ErrorCode::no_node);
  CHECK(one.fail(4, wire::ErrorCode::overloaded) == "pause");
  CHECK(one.again().starts_with(R"(ask {"id":5,"op":"multi")"));
  CHECK(one.fail(5, wire::ErrorCode::connection_loss) == creation_of_entry(6));
  one.fail(6, wire::ErrorCode::no_node);
  CHECK(one.failed_at(7, 1, wire::ErrorCode::quota_exceeded) == "ended: failed QuotaExceeded");
}

TEST_CASE("a turn that a reply tells is believed only if there is a gate") {
  Attendance one;
  one.begin();
  CHECK(one.created(1, "3", true) == turn_of_entry(2, "3"));
  CHECK(one.turn(2, true) == search_of_exit(3));
  CHECK(one.listed(3, {"exit-0000000004"}) == "entered\n" + turn_of_exit(4, "4"));

  for (const auto& names : {std::vector<std::string>(), {"exit-0000000001"}}) {
    Attendance nothing;
    nothing.begin();
    nothing.created(1, "3", true);
    nothing.turn(2, true);
    CHECK(nothing.listed(3, names) == removal_of_entry(4, "3"));
    CHECK(nothing.deleted(4) == "ended: failed BadArguments");
  }
}

TEST_CASE("after a lost reply the entry of a participant is found, or created again") {
  for (const auto code : {wire::ErrorCode::connection_loss, wire::ErrorCode::operation_timeout,
                          wire::ErrorCode::session_moved}) {
    Attendance one;
    one.begin();
    CHECK(one.fail(1, code) == search_of_entry(2));
    CHECK(one.fail(2, code) == search_of_entry(3));
    CHECK(one.found(3, {}) == creation_of_entry(4));
    one.fail(4, code);
    CHECK(one.found(5, {"/d/" + entry_node("6")}) == turn_of_entry(6, "6"));
    CHECK((*one).entry() == "/d/" + entry_node("6"));
  }
}

TEST_CASE("a participant leaves when the exit tells it, and asks again after a loss") {
  Attendance one = inside_participant();
  CHECK(one.connection_lost() == turn_of_exit(5, "4"));
  CHECK(one.leave() == removal_of_entry(6, "3"));
  CHECK(one.turn(5, false) == "");
  CHECK(one.fail(6, wire::ErrorCode::connection_loss) == removal_of_entry(7, "3"));
  CHECK(one.fail(7, wire::ErrorCode::no_node) == "");
  CHECK(one.connection_lost() == turn_of_exit(8, "4"));
  // The next generation has replaced it, so all have left.
  CHECK(one.fail(8, wire::ErrorCode::no_node) == "left 1:9");

  Attendance last = inside_participant();
  last.leave();
  CHECK(last.event(4, wire::EventKind::turn) == "left 1:9");

  Attendance refused = inside_participant();
  refused.leave();
  CHECK(refused.fail(5, wire::ErrorCode::no_auth) == "ended: failed NoAuth");
}

TEST_CASE("a participant that stops leaves no entry") {
  Attendance never;
  CHECK(never.stop() == "ended: cancelled");

  Attendance creating;
  creating.begin();
  CHECK(creating.stop() == "");
  CHECK(creating.created(1, "3", false) == removal_of_entry(2, "3"));
  CHECK(creating.deleted(2) == "ended: cancelled");

  Attendance unknown;
  unknown.begin();
  unknown.stop();
  CHECK(unknown.fail(1, wire::ErrorCode::connection_loss) == search_of_entry(2));
  CHECK(unknown.found(2, {}) == "ended: cancelled");

  Attendance waiting = waiting_participant();
  CHECK(waiting.stop() == removal_of_entry(3, "3"));
  CHECK(waiting.listed(2, {"exit-0000000001"}) == "");
  CHECK(waiting.event(1, wire::EventKind::turn) == "");
  CHECK(waiting.fail(3, wire::ErrorCode::no_node) == "ended: cancelled");

  Attendance inside = inside_participant();
  CHECK(inside.stop() == removal_of_entry(5, "3"));
  CHECK(inside.deleted(5) == "ended: released");

  Attendance leaving = inside_participant();
  leaving.leave();
  leaving.deleted(5);
  CHECK(leaving.stop() == "ended: released");
  CHECK(leaving.event(4, wire::EventKind::turn) == "");
}

TEST_CASE("a participant ends with its session, and when its entry is deleted") {
  Attendance idle;
  CHECK(idle.session_lost() == "");
  Attendance waiting = waiting_participant();
  CHECK(waiting.fail(2, wire::ErrorCode::session_expired) == "ended: failed SessionExpired");
  Attendance inside = inside_participant();
  CHECK(inside.session_lost() == "ended: lost");
  CHECK((*inside).has_ended());

  Attendance deleted = waiting_participant();
  CHECK(deleted.event(1, wire::EventKind::deleted) == "ended: failed NoNode");
  Attendance asking = waiting_participant();
  asking.connection_lost();
  CHECK(asking.fail(3, wire::ErrorCode::no_node) == "ended: failed NoNode");
}

}  // namespace zabkeeper
