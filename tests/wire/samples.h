#pragma once

#include <string>
#include <utility>
#include <vector>

#include "wire/replies.h"
#include "wire/requests.h"

// One value of every kind that goes through the codec, with every field set at least once.
namespace samples {

inline const wire::Zxid zxid{{1}, 5};

template <typename Request>
Request on(std::string path) {
  Request request;
  request.path = std::move(path);
  return request;
}
template <typename Request>
Request on(std::string path, wire::Bytes data) {
  Request request = on<Request>(std::move(path));
  request.data = std::move(data);
  return request;
}

inline wire::ConnectRequest opening() {
  wire::ConnectRequest request;
  request.timeout_ms = 10'000;
  return request;
}
inline wire::ConnectRequest resuming() {
  wire::ConnectRequest request;
  request.session = wire::SessionId{0x01000197c3b2a001};
  request.password = "9f";
  request.last_zxid = wire::Zxid{{1}, 9};
  return request;
}

inline wire::Stat stat() {
  wire::Stat stat;
  stat.czxid = {{1}, 5};
  stat.mzxid = {{1}, 7};
  stat.pzxid = {{2}, 1};
  stat.ctime = 1'700'000'000'000;
  stat.mtime = 1'700'000'000'001;
  stat.version = 2;
  stat.cversion = 3;
  stat.aversion = 1;
  stat.data_length = 2;
  stat.num_children = 4;
  return stat;
}

inline wire::Stat special_stat() {
  wire::Stat stat = samples::stat();
  stat.ephemeral_owner = {0x01000197c3b2a001};
  stat.ttl_ms = 60'000;
  stat.container = true;
  return stat;
}

inline wire::Acl acl() {
  return {{"world", "anyone", 1}, {"auth", "", 31}, {"digest", "kim:aGFzaA==", 2 | 16}};
}

inline std::vector<wire::Request> requests() {
  using namespace wire;
  const Bytes binary("\xff\0\x01", 3);
  return {
      CreateRequest{"/a", "v1", true, true, true, true, 60'000, acl()},
      CreateRequest{"/é \"quoted\"\\", binary, false, false, false, false, std::nullopt, Acl{}},
      CreateRequest{"/a", {}, false, false, false, false, std::nullopt, std::nullopt},
      GetRequest{"/a", {Linearizable{}, true}},
      GetRequest{"/a", {AtLeast{zxid}, false}},
      ExistsRequest{"/a", {SessionConsistency{}, true}},
      SetRequest{"/a", "line\none\t\x01", 7, true},
      SetRequest{"/a", Bytes("a\0b", 3), 0, false},
      DeleteRequest{"/a", 3, true},
      DeleteRequest{"/a", any_version, false},
      ChildrenRequest{"/", true, true, "k", 10, {Linearizable{}, true}},
      ChildrenRequest{"/", false, false, std::nullopt, std::nullopt, {}},
      CountRequest{"/a", {AtLeast{zxid}, false}},
      EphemeralsRequest{"/locks"},
      on<GetAclRequest>("/a"),
      SetAclRequest{"/a", acl(), 1},
      MultiRequest{{CreateRequest{"/a", "x", false, false, false, false, std::nullopt, acl()},
                    SetRequest{"/a", "y", 0, false}, DeleteRequest{"/b", 1, false},
                    CheckRequest{"/c", 4}, CheckRequest{"/c", any_version}, GetRequest{"/a", {}},
                    ChildrenRequest{"/", true, false, std::nullopt, 5, {}}}},
      MultiRequest{},
      SyncRequest{"/"},
      WatchRequest{"/a", WatchScope::subtree, true, true, zxid},
      WatchRequest{"/a", WatchScope::children, false, false, std::nullopt},
      WatchRequest{"/a", WatchScope::node, false, false, std::nullopt},
      WatchRequest{"/a", WatchScope::turn, false, false, zxid, {1'000'000, {"write-", "é"}}},
      WatchRequest{"/a", WatchScope::turn, false, false, std::nullopt},
      UnwatchRequest{{"5"}},
      UnwatchRequest{{"\"five\""}},
      AuthRequest{"digest", "kim:secret"},
      WhoamiRequest{},
      PingRequest{},
      CloseRequest{},
      ConnectRequest{},
      ConnectRequest{10'000,
                     SessionId{0x01000197c3b2a001},
                     "9f00",
                     zxid,
                     {{"digest", "kim:secret"}, {"ip", ""}},
                     true,
                     true,
                     true},
  };
}

// Creates that ask for turns. A turn is no part of any binary form.
inline std::vector<wire::ClientRequest> turn_requests() {
  using namespace wire;
  std::vector<ClientRequest> requests;
  for (const TurnOptions& turn :
       {TurnOptions{}, TurnOptions{3, {}}, TurnOptions{1, {"", "write-", "\"é\""}}}) {
    auto create = on<CreateRequest>("/a");
    create.sequential = true;
    create.turn = turn;
    requests.push_back({{"7"}, {}, create, {}});
  }
  return requests;
}

// Requests with fields that older forms do not have: conditions, tests, and bounds of lists.
inline std::vector<wire::ClientRequest> newer_requests() {
  using namespace wire;
  NodeTests all;
  all.exists = true;
  all.czxid = zxid;
  all.mzxid = Zxid{};
  all.ephemeral_owner = SessionId{7};
  all.data = Bytes("\xff\0\x01", 3);
  const auto by_number = [](bool reverse) {
    return ChildrenRequest{"/", false,          false,   "a-0000000001",      5,
                           {},  "b-0000000009", reverse, ChildOrder::sequence};
  };
  NodeTests missing;
  missing.exists = false;
  NodeTests empty;
  empty.data = "";
  const std::vector<Condition> conditions = {
      {"/lock/x", 3, all}, {"/é", any_version, {}}, {"/gone", {}, missing}, {"/e", {}, empty}};
  MultiRequest multi{{on<SetRequest>("/a"), CheckRequest{"/c", any_version, missing}}};
  MultiRequest branches = multi;
  branches.otherwise = std::vector<MultiOp>{on<DeleteRequest>("/b"), CheckRequest{"/c", 4, all}};
  const MultiRequest lists{{ChildrenRequest{"/", true, false, "a", 5, {}, "m", true},
                            ChildrenRequest{"/", true, false, "a", 5, {}, std::nullopt, true},
                            ChildrenRequest{"/", true, false, "a", 5, {}, "m", false},
                            by_number(false), by_number(true)}};
  MultiRequest nothing_else;
  nothing_else.otherwise.emplace();
  return {{{"7"}, {}, on<CreateRequest>("/a"), conditions},
          {{"7"}, {}, on<SetRequest>("/a"), conditions},
          {{"7"}, {}, on<DeleteRequest>("/a"), {conditions[1]}},
          {{"7"}, {}, SetAclRequest{"/a", acl(), 1}, {conditions[2]}},
          {{"7"}, {}, multi, {}},
          {{"7"}, {}, lists, {}},
          {{"7"}, {}, ChildrenRequest{"/", true, false, "a", 5, {}, "m", true}, {}},
          {{"7"}, {}, by_number(false), {}},
          {{"7"}, {}, by_number(true), {}},
          {{"7"}, {}, multi, conditions},
          {{"7"}, {}, branches, conditions},
          {{"7"}, {}, nothing_else, {conditions[0]}}};
}

// A request, and a reply to it.
struct Exchange {
  wire::Request request;
  wire::Result<wire::ReplyBody> body;
};

inline std::vector<Exchange> exchanges() {
  using namespace wire;
  const Bytes binary("\xff\0\x01", 3);
  const MultiRequest multi{{on<CreateRequest>("/a"), on<SetRequest>("/a"), on<DeleteRequest>("/b"),
                            CheckRequest{"/c"}, on<GetRequest>("/a"), on<ChildrenRequest>("/")}};
  const MultiRequest branches{
      {on<SetRequest>("/a")},
      std::vector<MultiOp>{on<CreateRequest>("/b"), on<DeleteRequest>("/b")}};
  const auto error = [](ErrorCode code) { return Error{code, "why: \"so\""}; };
  return {
      {on<CreateRequest>("/a"), ReplyBody{CreateReply{"/a0000000001", stat()}}},
      {on<GetRequest>("/a"), ReplyBody{GetReply{"v1", stat()}}},
      {on<GetRequest>("/a"), ReplyBody{GetReply{binary, special_stat()}}},
      {on<GetRequest>("/a"), error(ErrorCode::no_node)},
      {on<ExistsRequest>("/a"), ReplyBody{ExistsReply{stat()}}},
      {on<ExistsRequest>("/a"), ReplyBody{ExistsReply{}}},
      {on<SetRequest>("/a"), ReplyBody{SetReply{stat()}}},
      {on<SetRequest>("/a"), error(ErrorCode::not_ready)},
      {on<DeleteRequest>("/a"), ReplyBody{EmptyReply{}}},
      {on<ChildrenRequest>("/"),
       ReplyBody{ChildrenReply{{{"a", {}, {}}, {"b", {}, {}}}, false, stat(), true}}},
      {ChildrenRequest{"/", true, true, {}, {}, {}},
       ReplyBody{ChildrenReply{
           {{"a", stat(), "x"}, {"b", special_stat(), binary}}, true, stat(), false}}},
      {on<CountRequest>("/"), ReplyBody{CountReply{123'456'789'012}}},
      {EphemeralsRequest{"/"}, ReplyBody{EphemeralsReply{{"/a", "/b"}}}},
      {EphemeralsRequest{"/"}, ReplyBody{EphemeralsReply{}}},
      {on<GetAclRequest>("/a"), ReplyBody{AclReply{acl(), stat()}}},
      {SetAclRequest{"/a", {}, 1}, ReplyBody{AclReply{acl(), stat()}}},
      {multi, ReplyBody{MultiReply{
                  {OpReply{CreateReply{"/a", stat()}}, OpReply{SetReply{stat()}},
                   OpReply{EmptyReply{}}, OpReply{EmptyReply{}}, OpReply{GetReply{binary, stat()}},
                   OpReply{ChildrenReply{{{"a", {}, {}}}, false, stat(), false}}},
                  std::nullopt}}},
      {multi, ReplyBody{MultiReply{
                  {OpReply{EmptyReply{}}, OpReply{EmptyReply{}}, error(ErrorCode::not_empty),
                   error(ErrorCode::runtime_inconsistency), error(ErrorCode::runtime_inconsistency),
                   error(ErrorCode::runtime_inconsistency)},
                  2}}},
      {multi, error(ErrorCode::session_moved)},
      {on<SetRequest>("/a"),
       Error{ErrorCode::condition_failed, "/l does not exist", Unmet{2, Found{}}}},
      {multi,
       ReplyBody{MultiReply{
           {error(ErrorCode::runtime_inconsistency),
            Error{ErrorCode::condition_failed, "/c exists", Unmet{{}, {true, 4, {7}}}},
            error(ErrorCode::runtime_inconsistency), error(ErrorCode::runtime_inconsistency),
            error(ErrorCode::runtime_inconsistency), error(ErrorCode::runtime_inconsistency)},
           1}}},
      {branches, ReplyBody{MultiReply{{OpReply{SetReply{stat()}}}, {}, Branch::ops}}},
      {branches,
       ReplyBody{MultiReply{
           {OpReply{CreateReply{"/b", stat()}}, OpReply{EmptyReply{}}}, {}, Branch::otherwise}}},
      {branches, ReplyBody{MultiReply{
                     {error(ErrorCode::node_exists), error(ErrorCode::runtime_inconsistency)},
                     0,
                     Branch::otherwise}}},
      {multi, ReplyBody{TruncatedReply{zxid}}},
      {SyncRequest{"/"}, ReplyBody{EmptyReply{}}},
      {on<WatchRequest>("/a"), ReplyBody{WatchReply{{"7"}, stat()}}},
      {on<WatchRequest>("/a"), ReplyBody{WatchReply{{"\"w\""}, std::nullopt}}},
      {on<WatchRequest>("/a"), ReplyBody{WatchReply{{"7"}, stat(), true}}},
      {UnwatchRequest{{"5"}}, ReplyBody{EmptyReply{}}},
      {AuthRequest{"digest", "x"}, ReplyBody{EmptyReply{}}},
      {WhoamiRequest{}, ReplyBody{WhoamiReply{{{"ip", "127.0.0.1"}, {"digest", "kim:x"}}}}},
      {PingRequest{}, ReplyBody{PongReply{7'500}}},
      {CloseRequest{}, ReplyBody{ClosedReply{}}},
  };
}

// Messages that are not replies.
inline std::vector<wire::ServerMessage> announcements() {
  using namespace wire;
  return {
      WatchEvent{{"5"}, EventKind::changed, "/a", zxid, "v2", stat()},
      WatchEvent{{"\"w\""}, EventKind::created, "/a", zxid, Bytes("\xff", 1), special_stat()},
      WatchEvent{{"5"}, EventKind::deleted, "/a", zxid, {}, {}},
      WatchEvent{{"5"}, EventKind::children, "/a", zxid, {}, {}},
      WatchEvent{{"5"}, EventKind::resync, "", zxid, {}, {}},
      WatchEvent{{"5"}, EventKind::turn, "/a", zxid, {}, {}},
      ConnectedReply{{0x01000197c3b2a001},
                     "9f00",
                     10'000,
                     1,
                     Role::follower,
                     zxid,
                     true,
                     {"ws://a:2180/v1", "ws://b:2180/v1"}},
      ConnectRefused{{ErrorCode::session_expired, "gone"}},
      ConnectRefused{{ErrorCode::server_behind, "later"}, zxid, {"\"c\""}},
      ConnectedReply{{5}, "9f00", 10'000, 1, Role::looking, zxid, false, {}, true, {"7"}},
      Expired{},
      GoAway{"shutdown"},
  };
}

}  // namespace samples
