#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "session/commands.h"
#include "session/results.h"
#include "session/transaction.h"
#include "tests/server/golden_form.h"
#include "wire/replies.h"

// Commands, refusals, transactions and outcomes.
namespace golden {
namespace {

const wire::Error no_such_node{wire::ErrorCode::no_node, "/a does not exist", {}};
const wire::Error rolled_back{wire::ErrorCode::runtime_inconsistency, "rolled back", {}};
const wire::Error no_room{wire::ErrorCode::overloaded, "no room", {}};
const wire::Error unmet_condition{wire::ErrorCode::condition_failed, "/l exists",
                                  wire::Unmet{3, {true, 4, {7}}}};
constexpr wire::Zxid written_at{{3}, 9};

wire::CreateRequest whole_create() {
  wire::CreateRequest create;
  create.path = "/a";
  create.data = std::string("\0\xFF", 2);
  create.ephemeral = create.sequential = create.container = create.parents = true;
  create.ttl_ms = 5;
  create.acl = wire::Acl{{"world", "anyone", 31}};
  return create;
}

wire::ChildrenRequest whole_list() {
  wire::ChildrenRequest list;
  list.path = "/c";
  list.with_stat = true;
  list.after = "m";
  list.limit = 9;
  list.read = {wire::AtLeast{{{3}, 4}}, true};
  return list;
}

wire::NodeTests all_tests() { return {true, {{{1}, 2}}, {{{3}, 4}}, {{5}}, {"data"}}; }

void add_command(GoldenForms& forms, std::uint32_t level, const std::string& what,
                 session::CommandBody body, std::vector<wire::Condition> conditions = {}) {
  const wire::Forms versions = wire::forms_at({level});
  const session::Command command{{0x0102030405060708},
                                 {2, 0x1112131415161718},
                                 77,
                                 std::move(body),
                                 znode::Identities::of({{"ip", "::1"}, {"digest", "a:b"}}),
                                 1'234'567'890'123,
                                 std::move(conditions)};
  GoldenForm form{"command " + std::to_string(versions.command) + ", " + what,
                  {},
                  [command](std::string_view bytes) {
                    const auto decoded = session::decode_command(bytes);
                    return decoded && *decoded == command;
                  }};
  encode(command, versions, form.written);
  forms.push_back(std::move(form));
}

// `read`: what the reader returns, if the version does not hold all of the refusal.
void add_refusal(GoldenForms& forms, std::uint32_t level, const std::string& what,
                 const session::Refusal& refusal, const session::Refusal& read) {
  const wire::Forms versions = wire::forms_at({level});
  GoldenForm form{"refusal " + std::to_string(versions.refusal) + ", " + what,
                  {},
                  [read](std::string_view bytes) {
                    const auto decoded = session::decode_refusal(bytes);
                    return decoded && *decoded == read;
                  }};
  session::encode(refusal, versions, form.written);
  forms.push_back(std::move(form));
}

void add_transaction(GoldenForms& forms, std::uint32_t level, const std::string& what,
                     decltype(session::Transaction::body) body) {
  const session::Transaction transaction{{5}, {1, 2}, 3, 1'700'000'000'000, std::move(body), -7};
  const wire::Forms versions = wire::forms_at({level});
  GoldenForm form{"transaction " + std::to_string(versions.transaction) + ", " + what,
                  {},
                  [transaction](std::string_view bytes) {
                    const auto decoded = session::decode_transaction(bytes);
                    return decoded && *decoded == transaction;
                  }};
  encode(transaction, versions, form.written);
  forms.push_back(std::move(form));
}

void add_outcome(GoldenForms& forms, std::uint32_t level, const std::string& what,
                 wire::Bytes written, const wire::Result<wire::ReplyBody>& read) {
  forms.push_back({"outcome " + std::to_string(wire::forms_at({level}).outcome) + ", " + what,
                   std::move(written), [read](std::string_view bytes) {
                     const auto decoded = session::decode_outcome(bytes);
                     if (decoded.has_value() != read.has_value()) return false;
                     return decoded ? *decoded == *read : decoded.error() == read.error();
                   }});
}

wire::Stat whole_stat() {
  wire::Stat stat;
  stat.czxid = {{1}, 2};
  stat.mzxid = {{1}, 3};
  stat.pzxid = {{1}, 4};
  stat.ctime = 1'700'000'000'000;
  stat.mtime = 1'700'000'000'001;
  stat.version = 3;
  stat.cversion = 4;
  stat.aversion = 5;
  stat.data_length = 6;
  stat.num_children = 7;
  stat.ephemeral_owner = {8};
  stat.ttl_ms = 9;
  stat.container = true;
  return stat;
}

wire::MultiReply whole_multi() {
  wire::ChildrenReply children;
  children.children.push_back({"a", whole_stat(), "data"});
  children.with_details = true;
  children.stat = whole_stat();
  children.more = true;
  wire::MultiReply reply;
  for (const wire::OpReply& each : std::vector<wire::OpReply>{
           wire::EmptyReply{}, wire::CreateReply{"/a", whole_stat()}, wire::SetReply{whole_stat()},
           wire::GetReply{"x", whole_stat()}, children}) {
    reply.results.emplace_back(each);
  }
  return reply;
}

}  // namespace

void add_commands(GoldenForms& forms) {
  const wire::SetRequest set{"/s", "data", 7, true};
  const wire::DeleteRequest remove{"/d", 8, true};
  const wire::GetRequest get{"/g", {wire::Linearizable{}, false}};
  for (const std::uint32_t level : {0, 3}) {
    const auto add = [&](const std::string& what, session::CommandBody body) {
      add_command(forms, level, what, std::move(body));
    };
    add("open session", session::OpenSession{{1, 2, 3, 255}, 10'000, 9});
    add("move session", session::MoveSession{{1, 2, 3, 255}, 20'000, 8});
    add("close session", session::CloseSession{true});
    add("reap", session::ReapNodes{});
    add("create", whole_create());
    add("set", set);
    add("delete", remove);
    add("set of an ACL", wire::SetAclRequest{"/l", {{"ip", "10.0.0.1", 1}}, 3});
    add("multi", wire::MultiRequest{{whole_create(), set, remove, wire::CheckRequest{"/k", 9}, get,
                                     whole_list()}});
  }
  wire::ChildrenRequest list = whole_list();
  list.before = "z";
  list.reverse = true;
  list.order = wire::ChildOrder::sequence;
  const std::vector<wire::Condition> conditions = {{"/k", 4, all_tests()}, {"/l", {}, {}}};
  add_command(forms, 3, "set with conditions", set, conditions);
  add_command(forms, 3, "multi with an else",
              wire::MultiRequest{.ops = {wire::CheckRequest{"/k", 9, all_tests()}, list},
                                 .otherwise = std::vector<wire::MultiOp>{list, set}},
              conditions);
}

void add_refusals(GoldenForms& forms) {
  const session::Refusal of_multi{no_such_node, wire::MultiReply{{rolled_back, no_such_node}, 1}};
  const session::Refusal of_branch{
      no_such_node, wire::MultiReply{{rolled_back, no_such_node}, 1, wire::Branch::otherwise}};
  for (const std::uint32_t level : {0, 3}) {
    const session::Refusal plain{no_such_node, {}};
    add_refusal(forms, level, "of a write", plain, plain);
    add_refusal(forms, level, "of a multi", of_multi, of_multi);
  }
  // A version without a word for it says something else.
  const session::Refusal full{no_room, {}};
  const session::Refusal throttled{{wire::ErrorCode::throttled, no_room.message, {}}, {}};
  add_refusal(forms, 0, "for lack of room at level 0", full, throttled);
  add_refusal(forms, 2, "for lack of room at level 2", full, full);
  const session::Refusal unmet{unmet_condition, {}};
  const session::Refusal former{{wire::ErrorCode::bad_version, unmet_condition.message, {}}, {}};
  add_refusal(forms, 2, "for a condition", unmet, former);
  add_refusal(forms, 3, "for a condition", unmet, unmet);
  add_refusal(forms, 2, "of a branch", of_branch, {no_such_node, {}});
  add_refusal(forms, 3, "of a branch", of_branch, of_branch);
}

void add_transactions(GoldenForms& forms) {
  for (const std::uint32_t level : {0, 1}) {
    add_transaction(forms, level, "open", session::OpenTxn{{9, 8, 7}, 10'000, 3});
    add_transaction(forms, level, "move", session::MoveTxn{20'000, 4});
    add_transaction(forms, level, "close", session::CloseTxn{true, 17});
  }
  add_transaction(forms, 1, "level", session::LevelTxn{{2}});
  const session::RefuseTxn refuse{{no_such_node, {}}};
  const znode::Txn set = znode::SetTxn{"/a", "y", 4, false, {}};
  for (const std::uint32_t level : {0, 1, 2, 3}) {
    const std::string at = " at level " + std::to_string(level);
    add_transaction(forms, level, "refuse" + at, refuse);
    add_transaction(forms, level, "set" + at, set);
  }
}

void add_outcomes(GoldenForms& forms) {
  for (const std::uint32_t level : {0, 2, 3}) {
    const auto add = [&](const std::string& what, const wire::ReplyBody& reply) {
      const auto written = session::encode_outcome(reply, written_at, wire::forms_at({level}));
      add_outcome(forms, level, what, written, reply);
    };
    add("without fields", wire::EmptyReply{});
    add("create", wire::CreateReply{"/a", whole_stat()});
    add("set", wire::SetReply{whole_stat()});
    add("set of an ACL", wire::AclReply{{{"world", "anyone", 31}}, whole_stat()});
    add("multi", whole_multi());
    const session::Refusal refusal{no_such_node, {}};
    const auto refused = session::encode_outcome(refusal, written_at, wire::forms_at({level}));
    add_outcome(forms, level, "refused", refused, no_such_node);
    if (level == 0) continue;
    add_outcome(forms, level, "receipt", session::encode_receipt(written_at),
                wire::ReplyBody(wire::TruncatedReply{written_at}));
    add_outcome(forms, level, "receipt of a refusal", *session::receipt_of(refused),
                wire::Error{no_such_node.code, "", {}});
  }
  wire::MultiReply branch = whole_multi();
  branch.branch = wire::Branch::otherwise;
  const auto written =
      session::encode_outcome(wire::ReplyBody(branch), written_at, wire::newest_forms);
  add_outcome(forms, 3, "multi with a branch", written, wire::ReplyBody(branch));
}

}  // namespace golden
