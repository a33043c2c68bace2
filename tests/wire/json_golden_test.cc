#include <doctest/doctest.h>

#include "tests/wire/samples.h"
#include "wire/json.h"

// The texts of docs/protocol.md, letter by letter.
namespace wire::json {
namespace {

#define STAT                                                                              \
  R"({"czxid":"0000010000000005","mzxid":"0000010000000007","pzxid":"0000020000000001",)" \
  R"("ctime":1700000000000,"mtime":1700000000001,"version":2,"cversion":3,"aversion":1,)" \
  R"("ephemeralOwner":"0000000000000000","dataLength":2,"numChildren":4})"

TEST_CASE("a server's messages have this exact JSON text") {
  const Error exists{ErrorCode::node_exists, "/app/config already exists"};
  const auto reply = [](const char* id, Result<ReplyBody> body) {
    return Reply{{id}, samples::zxid, Encoding::text_if_utf8, std::move(body)};
  };
  struct Row {
    ServerMessage message;
    const char* text;
  };
  for (
      const Row& row : {
          Row{ConnectedReply{{0x01000197c3b2a001},
                             "9f",
                             10'000,
                             1,
                             Role::follower,
                             {{1}, 4},
                             false,
                             {"ws://a:2180/v1"},
                             false,
                             {},
                             9'600},
              R"({"op":"connected","session":"01000197c3b2a001","password":"9f","timeoutMs":10000,"validMs":9600,)"
              R"("server":1,"role":"follower","zxid":"0000010000000004","resumed":false,"servers":["ws://a:2180/v1"]})"},
          Row{ConnectRefused{{ErrorCode::session_expired, "gone"}},
              R"({"op":"connect","error":"SessionExpired","code":-112,"message":"gone"})"},
          Row{ConnectRefused{{ErrorCode::server_behind, "late"}},
              R"({"op":"connect","error":"ServerBehind","message":"late"})"},
          Row{ConnectRefused{{ErrorCode::session_expired, "gone"}, samples::zxid, {"7"}},
              R"({"op":"connect","id":7,"zxid":"0000010000000005","error":"SessionExpired","code":-112,"message":"gone"})"},
          Row{ConnectedReply{{0x01000197c3b2a001},
                             "9f",
                             10'000,
                             1,
                             Role::looking,
                             {{1}, 4},
                             false,
                             {},
                             true,
                             {"\"c\""}},
              R"({"op":"connected","id":"c","session":"01000197c3b2a001","password":"9f","timeoutMs":10000,"validMs":0,)"
              R"("server":1,"role":"looking","zxid":"0000010000000004","resumed":false,"readOnly":true,"servers":[]})"},
          Row{Expired{}, R"({"op":"expired"})"},
          Row{GoAway{"shutdown"}, R"({"op":"goaway","reason":"shutdown"})"},
          Row{reply("7", ReplyBody{CreateReply{"/app/config", samples::stat()}}),
              R"({"id":7,"zxid":"0000010000000005","path":"/app/config","stat":)" STAT "}"},
          Row{reply("7", exists),
              R"({"id":7,"zxid":"0000010000000005","error":"NodeExists","code":-110,"message":"/app/config already exists"})"},
          Row{reply("", ReplyBody{SetReply{samples::stat()}}),
              R"({"zxid":"0000010000000005","stat":)" STAT "}"},
          Row{reply("7", ReplyBody{ExistsReply{}}),
              R"({"id":7,"zxid":"0000010000000005","stat":null})"},
          Row{reply("\"x\"", ReplyBody{EmptyReply{}}), R"({"id":"x","zxid":"0000010000000005"})"},
          Row{reply("7", ReplyBody{GetReply{"v1", samples::stat()}}),
              R"({"id":7,"zxid":"0000010000000005","data":"v1","stat":)" STAT "}"},
          Row{reply("7", ReplyBody{GetReply{"\xff", samples::stat()}}),
              R"({"id":7,"zxid":"0000010000000005","data64":"/w==","stat":)" STAT "}"},
          Row{Reply{{"7"},
                    samples::zxid,
                    Encoding::base64,
                    ReplyBody{GetReply{"v1", samples::stat()}}},
              R"({"id":7,"zxid":"0000010000000005","data64":"djE=","stat":)" STAT "}"},
          Row{reply("7", ReplyBody{ChildrenReply{{{"a", {}, {}}}, false, samples::stat(), true}}),
              R"({"id":7,"zxid":"0000010000000005","children":["a"],"stat":)" STAT
              R"(,"more":true})"},
          Row{reply("7", ReplyBody{ChildrenReply{
                             {{"a", samples::stat(), "x"}}, true, samples::stat(), false}}),
              R"({"id":7,"zxid":"0000010000000005","children":[{"name":"a","data":"x","stat":)" STAT
              R"(}],"stat":)" STAT R"(,"more":false})"},
          Row{reply("7", ReplyBody{CountReply{3}}),
              R"({"id":7,"zxid":"0000010000000005","count":3})"},
          Row{reply("7", ReplyBody{EphemeralsReply{{"/a"}}}),
              R"({"id":7,"zxid":"0000010000000005","paths":["/a"]})"},
          Row{reply("7", ReplyBody{AclReply{open_acl(), samples::stat()}}),
              R"({"id":7,"zxid":"0000010000000005","acl":[{"scheme":"world","id":"anyone","perms":"cdrwa"}],"stat":)" STAT
              "}"},
          Row{reply("7", ReplyBody{WhoamiReply{{{"ip", "127.0.0.1"}}}}),
              R"({"id":7,"zxid":"0000010000000005","identities":[{"scheme":"ip","id":"127.0.0.1"}]})"},
          Row{reply("7", ReplyBody{TruncatedReply{{{1}, 3}}}),
              R"({"id":7,"zxid":"0000010000000003","truncated":true})"},
          Row{reply("5", ReplyBody{WatchReply{{"5"}, std::nullopt}}),
              R"({"id":5,"zxid":"0000010000000005","watch":5,"stat":null})"},
          Row{reply("", ReplyBody{PongReply{}}), R"({"op":"pong","validMs":0})"},
          Row{reply("7", ReplyBody{PongReply{}}),
              R"({"op":"pong","id":7,"zxid":"0000010000000005","validMs":0})"},
          Row{reply("", ReplyBody{ClosedReply{}}), R"({"op":"closed"})"},
          Row{reply("7",
                    ReplyBody{MultiReply{
                        {OpReply{EmptyReply{}}, OpReply{CreateReply{"/a", samples::stat()}}}, {}}}),
              R"({"id":7,"zxid":"0000010000000005","results":[{},{"path":"/a","stat":)" STAT "}]}"},
          Row{reply("7", ReplyBody{MultiReply{
                             {Error{ErrorCode::runtime_inconsistency, "not tried"}, exists}, 1}}),
              R"({"id":7,"zxid":"0000010000000005","error":"NodeExists","code":-110,"message":"/app/config already exists","index":1,"results":[)"
              R"({"error":"RuntimeInconsistency","code":-2,"message":"not tried"},{"error":"NodeExists","code":-110,"message":"/app/config already exists"}]})"},
          Row{reply("7", Error{ErrorCode::condition_failed, "/l has version 4, not 3",
                               Unmet{1, {true, 4, {7}}}}),
              R"({"id":7,"zxid":"0000010000000005","error":"ConditionFailed","condition":1,"found":)"
              R"({"exists":true,"version":4,"ephemeralOwner":"0000000000000007"},"message":"/l has version 4, not 3"})"},
          Row{reply("7", ReplyBody{MultiReply{{OpReply{EmptyReply{}}}, {}, Branch::otherwise}}),
              R"({"id":7,"zxid":"0000010000000005","branch":"else","results":[{}]})"},
          Row{WatchEvent{{"5"},
                         EventKind::changed,
                         "/app/config",
                         samples::zxid,
                         "v2",
                         samples::stat()},
              R"({"watch":5,"event":"changed","path":"/app/config","zxid":"0000010000000005","data":"v2","stat":)" STAT
              "}"},
          Row{WatchEvent{{"5"},
                         EventKind::changed,
                         "/app/config",
                         samples::zxid,
                         "v2",
                         samples::stat(),
                         Encoding::base64},
              R"({"watch":5,"event":"changed","path":"/app/config","zxid":"0000010000000005","data64":"djI=","stat":)" STAT
              "}"},
          Row{WatchEvent{{"5"}, EventKind::deleted, "/app/config", samples::zxid, {}, {}},
              R"({"watch":5,"event":"deleted","path":"/app/config","zxid":"0000010000000005"})"},
          Row{WatchEvent{{"5"}, EventKind::resync, "", samples::zxid, {}, {}},
              R"({"watch":5,"event":"resync","zxid":"0000010000000005"})"},
      }) {
    std::string text;
    write(row.message, text);
    CHECK(text == row.text);
  }
}

TEST_CASE("a stat has the owner, the TTL and the container flag of special nodes") {
  std::string text;
  write(Reply{{"7"}, samples::zxid, {}, ReplyBody{SetReply{samples::special_stat()}}}, text);
  CHECK(text.find(R"("ephemeralOwner":"01000197c3b2a001")") != std::string::npos);
  CHECK(text.find(R"("ttlMs":60000,"container":true})") != std::string::npos);
}

TEST_CASE("a client's requests have this exact JSON text") {
  struct Row {
    ClientRequest request;
    const char* text;
  };
  for (
      const Row& row : {
          Row{{{}, {}, samples::opening()}, R"({"op":"connect","timeoutMs":10000})"},
          Row{{{}, {}, samples::resuming()},
              R"({"op":"connect","session":"01000197c3b2a001","password":"9f","lastZxid":"0000010000000009"})"},
          Row{{{"7"}, {}, samples::on<CreateRequest>("/app/config", "v1")},
              R"({"id":7,"op":"create","path":"/app/config","data":"v1"})"},
          Row{{{"7"}, Encoding::base64, GetRequest{"/a", {}}},
              R"({"id":7,"op":"get","path":"/a","encoding":"base64"})"},
      }) {
    std::string text;
    write(row.request, text);
    CHECK(text == row.text);
  }
}

}  // namespace
}  // namespace wire::json
