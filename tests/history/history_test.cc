#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "tests/support/sources.h"
#include "tools/history/checks.h"

namespace {

using history::Report;
using nlohmann::json;

// The good history with some changes. The name of a line has its client and request ("a 3"); that
// of an event has its connection, watch, path and the end of its zxid ("event 2 6 /h/x 0c").
class Story {
 public:
  Story() {
    std::ifstream file(support::source("tests/history/good.jsonl"));
    for (std::string line; std::getline(file, line);) {
      if (!line.starts_with('#')) lines_.push_back(json::parse(line));
    }
    REQUIRE(lines_.size() > 20);
  }

  Story& set(const std::string& name, const std::string& where, const json& value) {
    find(name)[json::json_pointer(where)] = value;
    return *this;
  }
  Story& erase(const std::string& name) {
    find(name) = nullptr;
    return *this;
  }
  // Adds a line before the last one, which ends the audit.
  Story& add(const json& line) {
    lines_.insert(lines_.end() - 1, line);
    return *this;
  }
  Story& move_after(const std::string& name, const std::string& other) {
    json moved = std::exchange(find(name), nullptr);
    for (auto i = lines_.begin(); i != lines_.end(); ++i) {
      if (name_of(*i) != other) continue;
      lines_.insert(i + 1, std::move(moved));
      return *this;
    }
    FAIL("no line ", other);
    return *this;
  }
  [[nodiscard]] json copy(const std::string& name) { return find(name); }

  [[nodiscard]] Report check() const {
    std::stringstream text;
    for (const json& line : lines_) {
      if (!line.is_null()) text << line.dump() << '\n';
    }
    return history::check(history::read(text));
  }

 private:
  static std::string name_of(const json& line) {
    if (line.is_null()) return "";
    if (line.contains("event")) {
      const json& event = line.at("event");
      return "event " + line.at("conn").dump() + " " + event.at("watch").dump() + " " +
             event.at("path").get<std::string>() + " " +
             event.at("zxid").get<std::string>().substr(14);
    }
    if (line.contains("refused")) return line.at("client").get<std::string>() + " refused";
    if (line.contains("connected")) {
      return line.at("client").get<std::string>() + " connects " + line.at("conn").dump();
    }
    if (!line.contains("op")) return "";
    return line.at("client").get<std::string>() + " " + line.at("op").dump();
  }
  json& find(const std::string& name) {
    for (json& line : lines_) {
      if (name_of(line) == name) return line;
    }
    FAIL("no line ", name);
    return lines_.front();
  }

  std::vector<json> lines_;
};

std::string zxid(const std::string& end) { return "00000001000000" + end; }

std::string rules(const Report& report) {
  std::set<std::string> names;
  for (const auto& violation : report.violations) {
    INFO(violation.rule, ": ", violation.what);
    names.insert(violation.rule);
  }
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : " ") + name;
  return text;
}

json change(const std::string& path, const std::string& end, const std::string& data, int version,
            const std::string& created) {
  const json stat = {
      {"czxid", zxid(created)},    {"mzxid", zxid(end)}, {"pzxid", zxid(created)},
      {"version", version},        {"cversion", 0},      {"ephemeralOwner", std::string(16, '0')},
      {"dataLength", data.size()}, {"numChildren", 0}};
  return {{"conn", 1},
          {"at", 9000000155},
          {"event",
           {{"watch", 1},
            {"event", version == 0 ? "created" : "changed"},
            {"path", path},
            {"zxid", zxid(end)},
            {"data", data},
            {"stat", stat}}}};
}

json unknown_multi() {
  return {{"client", "a"},
          {"session", "000000000000000a"},
          {"conn", 4},
          {"op", 15},
          {"invoke", 9000000150},
          {"request",
           {{"id", 15},
            {"op", "multi"},
            {"ops",
             {{{"op", "create"}, {"path", "/h/p"}, {"data", "p1"}},
              {{"op", "create"}, {"path", "/h/q"}, {"data", "q1"}}}}}}};
}

TEST_CASE("a correct history has no violations") {
  const Report report = Story().check();
  CHECK(rules(report) == "");
  CHECK(report.operations == 22);
  CHECK(report.unknown == 1);
  CHECK(report.unknown_happened == 1);
  CHECK(report.changes == 15);
  CHECK(report.reads_uncertain == 0);
  CHECK(report.session_ends == 1);
  CHECK(report.searched == 9);
}

// Neither delete got a reply. Only the second one can have deleted the node: the first one requires
// another version. Its session has ended by then.
TEST_CASE("an unanswered delete with another version did not delete the node") {
  const auto unanswered = [](const char* client, int connection, int op, json request) {
    request["id"] = op;
    request["op"] = "delete";
    request["path"] = "/h/n-0000000001";
    return json{{"client", client},          {"session", std::string(15, '0') + client},
                {"conn", connection},        {"op", op},
                {"invoke", 9000000001 + op}, {"request", request}};
  };
  Story story;
  story.add(unanswered("b", 3, 7, {{"version", 7}}));
  story.add(unanswered("a", 4, 15, json::object()));
  story.add(
      {{"conn", 1},
       {"at", 9000000155},
       {"event",
        {{"watch", 1}, {"event", "deleted"}, {"path", "/h/n-0000000001"}, {"zxid", zxid("11")}}}});
  CHECK(rules(story.check()) == "");
}

// A change to the good history, and the rules that it must violate.
struct Row {
  const char* name;
  const char* rules;
  Story story;
};

void check_rows(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const Report report = row.story.check();
    std::string found;
    for (const auto& violation : report.violations) {
      found += violation.rule + ": " + violation.what + "\n";
    }
    CAPTURE(found);
    CHECK(rules(report) == row.rules);
  }
}

TEST_CASE("violations by writes are found") {
  check_rows({
      Row{"two audits disagree about a transaction", "agreement watch-phantom",
          Story().add(change("/h/x", "06", "other", 1, "05"))},
      Row{"the reply to a set has another version than the audit", "result search",
          Story().set("b 6", "/reply/stat/version", 4)},
      Row{"a set is carried out although its version is wrong", "result search",
          Story().set("b 6", "/request/version", 1)},
      Row{"an acknowledged set is in no audit", "lost-write replay watch-phantom",
          Story().erase("event 1 1 /h/x 0d")},
      Row{"a delete is acknowledged, but the node is not deleted", "lost-write read refusal",
          Story().erase("event 1 1 /h/y 10")},
      Row{"a change without a request", "phantom",
          Story().add(change("/h/z", "11", "unknown", 0, "11"))},
      Row{"a refused set is carried out", "phantom",
          Story().add(change("/h/x", "11", "x3", 6, "05"))},
      Row{"an acknowledged set is carried out again", "twice",
          Story().add(change("/h/x", "11", "x6", 6, "05"))},
      Row{"a version is skipped", "replay",
          Story().set("event 1 1 /h/x 0e", "/event/stat/version", 6)},
      Row{"a node is created a second time", "replay",
          Story()
              .add(change("/h/x", "11", "x8", 0, "11"))
              .add(
                  {{"client", "a"},
                   {"session", "000000000000000a"},
                   {"conn", 4},
                   {"op", 15},
                   {"invoke", 9000000150},
                   {"request", {{"id", 15}, {"op", "create"}, {"path", "/h/x"}, {"data", "x8"}}}})},
      Row{"a write has a lower zxid than one received before it was sent", "real-time search",
          Story().set("b 1", "/invoke", 300).set("b 1", "/return", 305)},
  });
}

TEST_CASE("violations by reads are found") {
  check_rows({
      Row{"a read shows the state before its zxid", "read",
          Story().set("a 4", "/reply/data", "x1")},
      Row{"a child is missing in a list", "read",
          Story().set("a 12", "/reply/children", {"n-0000000001", "x"})},
      Row{"a parent's cversion is wrong", "read", Story().set("a 12", "/reply/stat/cversion", 8)},
      Row{"a set is refused although its version is right", "refusal search",
          Story().set("a 5", "/request/version", 1)},
      Row{"a session reads an earlier state than before", "session-monotonic",
          Story()
              .set("a 4", "/reply/zxid", zxid("05"))
              .set("a 4", "/reply/data", "x1")
              .set("a 4", "/reply/stat/version", 0)
              .set("a 4", "/reply/stat/mzxid", zxid("05"))},
      Row{"a session does not see its own write", "read-your-writes",
          Story().set("a 13", "/reply/zxid", zxid("08"))},
      Row{"a session is resumed at an earlier zxid than it has seen", "session-monotonic",
          Story().set("a connects 4", "/connected/zxid", zxid("0c"))},
      Row{"a linearizable read is stale", "linearizable search",
          Story()
              .set("a 3", "/reply/zxid", zxid("05"))
              .set("a 3", "/reply/data", "x1")
              .set("a 3", "/reply/stat/version", 0)
              .set("a 3", "/reply/stat/mzxid", zxid("05"))},
      Row{"a sync is stale", "linearizable read-your-writes",
          Story().set("a 14", "/reply/zxid", zxid("0f"))},
      Row{"replies are not in the order of requests", "fifo", Story().set("a 4", "/op", 2)},
  });
}

TEST_CASE("violations by multis, sessions and ephemeral nodes are found") {
  check_rows({
      Row{"half of a multi is carried out", "multi-atomic",
          Story().add(unknown_multi()).add(change("/h/p", "11", "p1", 0, "11"))},
      Row{"a multi is carried out by two transactions", "multi-atomic",
          Story()
              .add(unknown_multi())
              .add(change("/h/p", "11", "p1", 0, "11"))
              .add(change("/h/q", "12", "q1", 0, "12"))},
      Row{"a sequence number is used twice", "sequential",
          Story()
              .set("event 1 1 /h/n-0000000000 07", "/event/path", "/h/n-0000000002")
              .set("b 2", "/reply/path", "/h/n-0000000002")
              .set("a 12", "/reply/children", {"n-0000000001", "n-0000000002", "x"})},
      Row{"an ephemeral node remains after the end of its session", "ephemeral read",
          Story().erase("event 1 1 /h/f 0f")},
      Row{"a session's ephemeral nodes are deleted by two transactions", "ephemeral",
          Story().set("event 1 1 /h/e 0f", "/event/zxid", zxid("0e"))},
      Row{"an ephemeral node belongs to another session", "early-expiry ephemeral session",
          Story()
              .set("event 1 1 /h/f 0b", "/event/stat/ephemeralOwner", "000000000000000a")
              .set("b 5", "/reply/stat/ephemeralOwner", "000000000000000a")},
      Row{"a session is resumed after its end", "session",
          Story()
              .erase("b refused")
              .add({{"client", "b"},
                    {"conn", 5},
                    {"session", "000000000000000b"},
                    {"invoke", 9000000040},
                    {"return", 9000000050},
                    {"connected",
                     {{"session", "000000000000000b"},
                      {"timeoutMs", 6000},
                      {"zxid", zxid("0f")},
                      {"resumed", true}}}})},
      Row{"a client gets another session without an error", "session",
          Story()
              .set("a connects 4", "/connected/session", "000000000000000d")
              .set("a connects 4", "/connected/resumed", false)},
      Row{"a session expires although its client sends requests", "early-expiry",
          Story().set("event 1 1 /h/e 0f", "/at", 3000000000)},
  });
}

TEST_CASE("violations by watches, and replies that no order explains, are found") {
  check_rows({
      Row{"an event is missing", "watch-gap", Story().erase("event 2 6 /h/x 0c")},
      Row{"an event comes after a reply that reflects its change", "watch-order",
          Story().move_after("event 2 6 /h/x 09", "a 7")},
      Row{"an event comes twice", "watch-phantom", Story().add(Story().copy("event 2 6 /h/x 0d"))},
      Row{"a one-shot watch has a second event", "watch-phantom",
          Story().add(
              {{"conn", 2},
               {"at", 625},
               {"event",
                {{"watch", 8}, {"event", "changed"}, {"path", "/h/x"}, {"zxid", zxid("0d")}}}})},
      Row{"an event of another kind than the change", "watch-phantom",
          Story().set("event 2 6 /h/x 0d", "/event/event", "deleted")},
      Row{"no order explains the replies", "read search",
          Story().set("a 3", "/reply/stat/version", 0).set("a 3", "/reply/data", "x1")},
  });
}

TEST_CASE("changes during a gap in the audits cause no violation") {
  // Between 0b and 0e there is no audit: only the acknowledged writes of client a are known.
  json resync = Story().copy("event 1 1 /h/x 0e");
  resync["event"] = {{"watch", 1}, {"event", "resync"}, {"path", "/h"}, {"zxid", zxid("0e")}};
  Story story;
  story.erase("event 1 1 /h/x 0c")
      .erase("event 1 1 /h/x 0d")
      .erase("event 1 1 /h/x 0e")
      .add(resync);
  story.move_after("event 1 1 /h 0e", "a connects 4");
  CHECK(rules(story.check()) == "");

  // But a later read that shows the state before them has lost a write.
  Story lost = story;
  lost.set("a 13", "/request/path", "/h/x");
  lost.set("a 13", "/reply",
           {{"id", 13},
            {"zxid", zxid("10")},
            {"data", "x5"},
            {"stat", Story().copy("event 1 1 /h/x 0c").at("event").at("stat")}});
  CHECK(rules(lost.check()) == "lost-write");
}

TEST_CASE("a one-shot watch with `from` gets a past event before its reply") {
  json event = Story().copy("event 2 6 /h/x 0d");
  event["conn"] = 4;
  event["at"] = 9000000145;
  event["event"]["watch"] = 15;
  json watch = Story().copy("a 14");
  watch["op"] = 15;
  watch["reply"]["stat"] = Story().copy("event 1 1 /h/x 0e").at("event").at("stat");
  watch["request"] = {
      {"id", 15}, {"op", "watch"}, {"path", "/h/x"}, {"once", true}, {"from", zxid("0c")}};
  Story story;
  story.add(event).add(watch);
  CHECK(rules(story.check()) == "");
  event["event"]["zxid"] = zxid("0e");
  CHECK(rules(story.add(event).check()) == "watch-phantom");
}

TEST_CASE("a line that cannot be read is reported with its number") {
  for (const auto& [text, words] :
       std::vector<std::pair<std::string, std::string>>{{"{}", "line 1"},
                                                        {"# a comment\nnonsense", "line 2"},
                                                        {R"({"conn":1,"at":5,"event":{"watch":1}})"
                                                         "\n"
                                                         R"({"conn":"one","at":5,"event":{}})",
                                                         "line 2"}}) {
    std::istringstream lines(text);
    std::string message;
    try {
      (void)history::read(lines);
    } catch (const history::Unreadable& error) {
      message = error.what();
    }
    CHECK(message.starts_with(words));
  }
}

}  // namespace
