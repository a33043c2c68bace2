#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "client-lib/hosts.h"
#include "tools/shell/queue_places.h"
#include "tools/shell/servers_table.h"
#include "tools/shell/session_stream.h"
#include "tools/shell/watched_paths.h"
#include "wire/zxid.h"

namespace shell {
namespace {

using nlohmann::json;

json session_object(std::uint64_t id, std::uint32_t server, const char* address) {
  json object = {
      {"session", wire::to_hex(id)}, {"timeoutMs", 4000u}, {"server", server}, {"ephemerals", 0u}};
  if (address != nullptr) object["address"] = address;
  return object;
}

// Answers with one page after the other, and notes what was asked.
struct FakePages {
  std::vector<json> replies;
  std::vector<std::string> asked = {};

  wire::Result<json> operator()(const std::string& target) {
    asked.push_back(target);
    if (asked.size() > replies.size()) return wire::Error{wire::ErrorCode::no_auth, "refused"};
    return {boost::system::in_place_value, replies[asked.size() - 1]};
  }
};

std::vector<std::string> merged(SessionStream& all, std::map<std::uint32_t, SessionStream>& own) {
  std::vector<std::string> lines;
  merge_sessions(all, own, [&](const json& session) {
    lines.push_back(session["session"].get<std::string>().substr(14) +
                    (session.contains("address") ? session["address"].get<std::string>() : ""));
  });
  return lines;
}

TEST_CASE("what only a client's own server knows is added to a list of sessions") {
  FakePages all{{{{"sessions", {session_object(1, 1, "a"), session_object(2, 2, nullptr)}},
                  {"next", wire::to_hex(2)}},
                 {{"sessions", {session_object(4, 2, nullptr), session_object(5, 3, nullptr)}},
                  {"next", nullptr}}}};
  // It has a session that the others do not know yet, and lacks none.
  FakePages second{
      {{{"sessions", {session_object(2, 2, "b")}}, {"next", wire::to_hex(2)}},
       {{"sessions", json::array()}, {"next", wire::to_hex(3)}},
       {{"sessions", {session_object(4, 2, "c"), session_object(9, 2, "d")}}, {"next", nullptr}}}};
  SessionStream stream([&](const std::string& target) { return all(target); });
  std::map<std::uint32_t, SessionStream> own;
  own.emplace(2, SessionStream([&](const std::string& target) { return second(target); }, 2));
  CHECK(merged(stream, own) == std::vector<std::string>{"01a", "02b", "04c", "05"});
  CHECK(!stream.error());
  CHECK(all.asked == std::vector<std::string>{"/admin/sessions?after=0000000000000000",
                                              "/admin/sessions?after=0000000000000002"});
  CHECK(second.asked.back() == "/admin/sessions?after=0000000000000003&at=2");
}

TEST_CASE("a list of sessions ends at an error, and at a page that cannot be right") {
  std::map<std::uint32_t, SessionStream> none;
  const json one = {session_object(1, 1, "a")};
  FakePages refused{{{{"sessions", one}, {"next", wire::to_hex(1)}}}};
  SessionStream stream([&](const std::string& target) { return refused(target); });
  CHECK(merged(stream, none).size() == 1);
  REQUIRE(stream.error());
  CHECK(stream.error()->code == wire::ErrorCode::no_auth);
  for (const json& page :
       {json::object(), json::array(), json("x"),
        json{{"sessions", one}, {"next", wire::to_hex(0)}}, json{{"sessions", one}, {"next", 7}},
        json{{"sessions", {json{{"session", "x"}}}}, {"next", nullptr}}}) {
    CAPTURE(page.dump());
    FakePages pages{{page}};
    SessionStream wrong([&](const std::string& target) { return pages(target); });
    CHECK(merged(wrong, none).empty());
    CHECK(wrong.error());
  }
}

json watched(const char* path, std::uint64_t watches) {
  return {{"path", path}, {"subtree", false}, {"watches", watches}};
}

TEST_CASE("the most watched paths are found over all pages of a server") {
  FakePages pages{
      {{{"watches", 9u},
        {"watchedPaths", 3u},
        {"paths", {watched("/a", 5), watched("/b", 2)}},
        {"next", 64u}},
       {{"watches", 10u}, {"watchedPaths", 4u}, {"paths", {watched("/c", 3)}}, {"next", 128u}},
       // /a was moved to a later bucket meanwhile, and has one more watch.
       {{"watches", 11u}, {"watchedPaths", 4u}, {"paths", {watched("/a", 6)}}, {"next", nullptr}}}};
  const auto found = most_watched([&](const std::string& target) { return pages(target); }, 2);
  REQUIRE(found.has_value());
  CHECK(found->watches == 11);
  CHECK(found->paths == 4);
  REQUIRE(found->top.size() == 2);
  CHECK(found->top[0] == WatchedPath{6, false, "/a", {}});
  CHECK(found->top[1] == WatchedPath{3, false, "/c", {}});
  CHECK(pages.asked == std::vector<std::string>{"/admin/watches?from=0&least=1",
                                                "/admin/watches?from=64&least=2",
                                                "/admin/watches?from=128&least=3"});
  FakePages endless{
      {{{"watches", 9u}, {"watchedPaths", 3u}, {"paths", json::array()}, {"next", 0u}}}};
  CHECK(most_watched([&](const std::string& target) { return endless(target); }, 2).has_error());
}

TEST_CASE("each server has a row, and those without a status say why") {
  const auto endpoints = zabkeeper::parse_endpoints("ws://a:1,ws://b:2,ws://c:3").value();
  const json full = {{"id", 1u},
                     {"role", "leader"},
                     {"epoch", 3u},
                     {"zxid", "z"},
                     {"lag", 0u},
                     {"sessions", 5u},
                     {"nodes", 6u},
                     {"version", "1"},
                     {"clockOffsetMs", 12},
                     {"disk", {{"freeBytes", 31u}, {"sizeBytes", 100u}}}};
  const json older = {{"id", 2u}, {"role", "follower"}, {"epoch", 3u}, {"zxid", "z"}};
  std::vector<wire::Result<json>> replies;
  replies.emplace_back(boost::system::in_place_value, full);
  replies.emplace_back(boost::system::in_place_value, older);
  replies.emplace_back(wire::Error{wire::ErrorCode::connection_loss, "no reply in time"});
  const ServersTable shown = servers_table(status_columns(), endpoints, replies);
  CHECK(shown.replied == 2);
  CHECK(shown.objects[2] == json{{"server", "ws://c:3"}, {"error", "no reply in time"}});
  CHECK(shown.text ==
        "SERVER    ID  ROLE      EPOCH  ZXID  LAG  SESSIONS  NODES       DISK   CLOCK  VERSION\n"
        "ws://a:1   1  leader        3  z       0         5      6  31 % free  +12 ms  1\n"
        "ws://b:2   2  follower      3  z       -         -      -          -       -  -\n"
        "ws://c:3   -  -             -  -       -         -      -          -       -  -        no "
        "reply in time\n");
}

TEST_CASE("the nodes of a lock hold it or wait, by their kinds and the nodes before them") {
  struct Row {
    const char* what;
    std::optional<std::int32_t> limit;
    std::vector<const char*> kinds;
    std::string places;  // of each node: "h" for a holder, else how many are ahead
  };
  for (const Row& row : {
           Row{"a lock has one holder", {}, {"lock-", "lock-", "candidate-"}, "h12"},
           Row{"nobody", {}, {}, ""},
           Row{"readers share", {}, {"read-", "read-", "write-", "read-", "write-"}, "hh214"},
           Row{"a writer is alone", {}, {"write-", "read-", "read-", "write-"}, "h113"},
           Row{"Curator's", {}, {"__READ__", "__READ__", "__WRIT__", "__READ__"}, "hh21"},
           Row{"places of a semaphore", 2, {"lease-", "lease-", "lease-", "lease-"}, "hh12"},
           Row{"a semaphore without a limit", {}, {"lease-", "lease-"}, "12"},
           Row{"data that look like a limit", 7, {"lock-", "lock-"}, "h1"},
       }) {
    CAPTURE(row.what);
    QueuePlaces queue(row.limit);
    std::string places;
    for (const char* kind : row.kinds) {
      const auto place = queue.next("id-" + std::string(kind) + "0000000007");
      REQUIRE(place);
      places += place->holds ? "h" : std::to_string(place->ahead);
    }
    CHECK(places == row.places);
    CHECK(!queue.next("short"));
  }
}

}  // namespace
}  // namespace shell
