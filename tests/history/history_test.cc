#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "tools/history/checks.h"

namespace {

using history::Report;
using nlohmann::json;

// The good history with a few words changed. A line is named by its client and request ("a 3"), or,
// an event, by its connection, watch, path and the end of its zxid ("event 2 6 /h/x 0c").
class Story {
 public:
  Story() {
    std::ifstream file(std::string(ZABKEEPER_SOURCE_DIR) + "/tests/history/good.jsonl");
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
  // Before the last line, in which the audit says that it has seen everything.
  Story& add(const json& line) {
    lines_.insert(lines_.end() - 1, line);
    return *this;
  }
  Story& move_behind(const std::string& name, const std::string& behind) {
    json moved = std::exchange(find(name), nullptr);
    for (auto i = lines_.begin(); i != lines_.end(); ++i) {
      if (name_of(*i) != behind) continue;
      lines_.insert(i + 1, std::move(moved));
      return *this;
    }
    FAIL("no line ", behind);
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

TEST_CASE("a history in which everything is as promised") {
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

TEST_CASE("what breaks which rule") {
  struct Row {
    const char* what;
    const char* rules;
    Story story;
  };
  const json x5 = Story().copy("event 1 1 /h/x 0c");
  for (const Row& row : {
           Row{"audits tell two stories", "agreement watch-phantom",
               Story().add(change("/h/x", "06", "other", 1, "05"))},
           Row{"a set is answered with a version that it did not make", "result search",
               Story().set("b 6", "/reply/stat/version", 4)},
           Row{"a set goes through on a version that was not there", "result search",
               Story().set("b 6", "/request/version", 1)},
           Row{"an acknowledged set is in no audit", "lost-write replay watch-phantom",
               Story().erase("event 1 1 /h/x 0d")},
           Row{"a delete is acknowledged, and nothing goes", "lost-write read refusal",
               Story().erase("event 1 1 /h/y 10")},
           Row{"a change that nobody asked for", "phantom",
               Story().add(change("/h/z", "11", "whose", 0, "11"))},
           Row{"a refused set is done", "phantom",
               Story().add(change("/h/x", "11", "x3", 6, "05"))},
           Row{"an acknowledged set is done again", "twice",
               Story().add(change("/h/x", "11", "x6", 6, "05"))},
           Row{"a version is skipped", "replay",
               Story().set("event 1 1 /h/x 0e", "/event/stat/version", 6)},
           Row{"a node is created a second time", "replay",
               Story()
                   .add(change("/h/x", "11", "x8", 0, "11"))
                   .add({{"client", "a"},
                         {"session", "000000000000000a"},
                         {"conn", 4},
                         {"op", 15},
                         {"invoke", 9000000150},
                         {"request",
                          {{"id", 15}, {"op", "create"}, {"path", "/h/x"}, {"data", "x8"}}}})},
           Row{"a write is older than what was seen before it was asked for", "real-time search",
               Story().set("b 1", "/invoke", 300).set("b 1", "/return", 305)},
           Row{"a read at a zxid shows what was before", "read",
               Story().set("a 4", "/reply/data", "x1")},
           Row{"a child is missing in a list", "read",
               Story().set("a 12", "/reply/children", {"n-0000000001", "x"})},
           Row{"a parent counts its children wrongly", "read",
               Story().set("a 12", "/reply/stat/cversion", 8)},
           Row{"a set is refused for a version that was the right one", "refusal search",
               Story().set("a 5", "/request/version", 1)},
           Row{"a session's reads go back", "session-monotonic",
               Story()
                   .set("a 4", "/reply/zxid", zxid("05"))
                   .set("a 4", "/reply/data", "x1")
                   .set("a 4", "/reply/stat/version", 0)
                   .set("a 4", "/reply/stat/mzxid", zxid("05"))},
           Row{"a session does not see its own write", "read-your-writes",
               Story().set("a 13", "/reply/zxid", zxid("08"))},
           Row{"a session is resumed in the past", "session-monotonic",
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
           Row{"half of a multi is done", "multi-atomic",
               Story().add(unknown_multi()).add(change("/h/p", "11", "p1", 0, "11"))},
           Row{"a multi is done by two transactions", "multi-atomic",
               Story()
                   .add(unknown_multi())
                   .add(change("/h/p", "11", "p1", 0, "11"))
                   .add(change("/h/q", "12", "q1", 0, "12"))},
           Row{"a number is given twice", "sequential",
               Story()
                   .set("event 1 1 /h/n-0000000000 07", "/event/path", "/h/n-0000000002")
                   .set("b 2", "/reply/path", "/h/n-0000000002")
                   .set("a 12", "/reply/children", {"n-0000000001", "n-0000000002", "x"})},
           Row{"an ephemeral node stays when its session ends", "ephemeral read",
               Story().erase("event 1 1 /h/f 0f")},
           Row{"ephemeral nodes go one after the other", "ephemeral",
               Story().set("event 1 1 /h/e 0f", "/event/zxid", zxid("0e"))},
           Row{"an ephemeral node belongs to somebody else", "early-expiry ephemeral session",
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
           Row{"another session is silently given", "session",
               Story()
                   .set("a connects 4", "/connected/session", "000000000000000d")
                   .set("a connects 4", "/connected/resumed", false)},
           Row{"a session expires while its client is heard", "early-expiry",
               Story().set("event 1 1 /h/e 0f", "/at", 3000000000)},
           Row{"an event is left out", "watch-gap", Story().erase("event 2 6 /h/x 0c")},
           Row{"an event comes after a reply that reflects it", "watch-order",
               Story().move_behind("event 2 6 /h/x 09", "a 7")},
           Row{"an event comes twice", "watch-phantom",
               Story().add(Story().copy("event 2 6 /h/x 0d"))},
           Row{"a watch that fires once fires again", "watch-phantom",
               Story().add({{"conn", 2},
                            {"at", 625},
                            {"event",
                             {{"watch", 8},
                              {"event", "changed"},
                              {"path", "/h/x"},
                              {"zxid", zxid("0d")}}}})},
           Row{"an event that the transaction did not make", "watch-phantom",
               Story().set("event 2 6 /h/x 0d", "/event/event", "deleted")},
           Row{"replies that no order explains, whatever their zxids say", "read search",
               Story().set("a 3", "/reply/stat/version", 0).set("a 3", "/reply/data", "x1")},
       }) {
    CAPTURE(row.what);
    const Report report = row.story.check();
    std::string found;
    for (const auto& violation : report.violations)
      found += violation.rule + ": " + violation.what + "\n";
    CAPTURE(found);
    CHECK(rules(report) == row.rules);
  }
}

TEST_CASE("where an audit was interrupted, what is not known is not judged") {
  // Between 0b and 0e nobody watched everything: what a acknowledged is all that is known of it.
  json resync = Story().copy("event 1 1 /h/x 0e");
  resync["event"] = {{"watch", 1}, {"event", "resync"}, {"path", "/h"}, {"zxid", zxid("0e")}};
  Story story;
  story.erase("event 1 1 /h/x 0c")
      .erase("event 1 1 /h/x 0d")
      .erase("event 1 1 /h/x 0e")
      .add(resync);
  story.move_behind("event 1 1 /h 0e", "a connects 4");
  CHECK(rules(story.check()) == "");

  // But a later read that shows what was before has lost a write.
  Story lost = story;
  lost.set("a 13", "/request/path", "/h/x");
  lost.set("a 13", "/reply",
           {{"id", 13},
            {"zxid", zxid("10")},
            {"data", "x5"},
            {"stat", Story().copy("event 1 1 /h/x 0c").at("event").at("stat")}});
  CHECK(rules(lost.check()) == "lost-write");
}

TEST_CASE("a watch that fires once has its event, if that is from the past, before its reply") {
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

TEST_CASE("what is no history is said with its line") {
  for (const auto& [text, words] :
       std::vector<std::pair<std::string, std::string>>{{"{}", "line 1"},
                                                        {"# a comment\nnonsense", "line 2"},
                                                        {R"({"conn":1,"at":5,"event":{"watch":1}})"
                                                         "\n"
                                                         R"({"conn":"one","at":5,"event":{}})",
                                                         "line 2"}}) {
    std::istringstream lines(text);
    std::string said;
    try {
      (void)history::read(lines);
    } catch (const history::Unreadable& error) {
      said = error.what();
    }
    CHECK(said.starts_with(words));
  }
}

}  // namespace
