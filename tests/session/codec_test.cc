#include <string>
#include <variant>
#include <vector>

#include <doctest/doctest.h>

#include "session/commands.h"
#include "session/transaction.h"
#include "tests/support/levels.h"
#include "tests/wire/samples.h"
#include "tests/znode/printing.h"

namespace session {
namespace {

using wire::Error;
using wire::ErrorCode;

std::vector<Command> commands() {
  const SecretHash secret{1, 2, 3, 255};
  wire::CreateRequest create;
  create.path = "/a";
  create.data = std::string("\0\xFF", 2);
  create.ephemeral = create.sequential = create.container = create.parents = true;
  create.ttl_ms = 5;
  create.acl = wire::open_acl();
  wire::ChildrenRequest children;
  children.path = "/c";
  children.with_stat = true;
  children.after = "m";
  children.limit = 9;
  children.read = {wire::AtLeast{{{3}, 4}}, true};
  const wire::SetRequest set{"/s", "data", 7, true};
  const wire::DeleteRequest remove{"/d", 8, true};
  const wire::CheckRequest check{"/k", 9};
  const wire::GetRequest get{"/g", {wire::Linearizable{}, false}};

  std::vector<Command> commands;
  for (const CommandBody& body : std::vector<CommandBody>{
           OpenSession{secret, 10'000, 9}, MoveSession{secret, 20'000, 8}, CloseSession{true},
           ReapNodes{}, create, wire::CreateRequest{}, set, remove,
           wire::SetAclRequest{"/l", wire::open_acl(), 3}, wire::MultiRequest{},
           wire::MultiRequest{{create, set, remove, check, get, children}}}) {
    commands.push_back({{0x0102030405060708}, {2, 0x1112131415161718}, 77, body});
    commands.push_back({{5},
                        {1, 2},
                        77,
                        body,
                        znode::Identities::of({{"ip", "::1"}, {"digest", "a:b"}}),
                        1234567890123});
  }
  for (const wire::ClientRequest& each : samples::newer_requests()) {
    const auto body = command_body_of(each.request);
    if (body) commands.push_back({{5}, {1, 2}, 77, *body, {}, {}, each.conditions});
  }
  return commands;
}

std::vector<Refusal> refusals() {
  const Error no_node{ErrorCode::no_node, "/a does not exist"};
  const Error rolled_back{ErrorCode::runtime_inconsistency, "rolled back"};
  return {
      {no_node, std::nullopt},
      {{ErrorCode::server_behind, ""}, std::nullopt},
      {no_node, wire::MultiReply{{rolled_back, no_node}, 1}},
      {no_node, wire::MultiReply{{rolled_back, no_node}, 1, wire::Branch::otherwise}},
      {{ErrorCode::condition_failed, "/l exists", wire::Unmet{3, {true, 4, {7}}}}, std::nullopt}};
}

std::vector<Transaction> transactions() {
  std::vector<Transaction> transactions;
  for (const decltype(Transaction::body)& body : std::vector<decltype(Transaction::body)>{
           OpenTxn{{9, 8, 7}, 10'000, 3}, MoveTxn{20'000, 4}, CloseTxn{true, 17}, CloseTxn{},
           LevelTxn{{1}}, RefuseTxn{refusals().front()},
           znode::Txn(znode::CreateTxn{"/a", {"/"}, "x", {}, {}}),
           znode::Txn(
               znode::MultiTxn{{znode::CheckTxn{}, znode::SetTxn{"/a", "y", 4, false, {}}}})}) {
    transactions.push_back({{5}, {1, 2}, 3, 1'700'000'000'000, body});
    transactions.push_back({{5}, {1, 2}, 3, 1'700'000'000'000, body, -7});
  }
  return transactions;
}

// Whether these versions hold all that the value says.
bool can_hold(const wire::Forms& forms, const Command& command) {
  return least_version(command) <= forms.command;
}
bool can_hold(const wire::Forms&, const Transaction&) { return true; }
bool can_hold(const wire::Forms& forms, const Refusal& refusal) {
  const bool is_newer = refusal.error.unmet || (refusal.multi && refusal.multi->branch);
  return !is_newer || forms.refusal >= 3;
}

// Checks that values are decoded from exactly their bytes, and refused with fewer or more bytes.
template <class Value, class Decode>
void check_round_trip(const wire::Forms& forms, const std::vector<Value>& values,
                      const Decode& decode) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    CAPTURE(i);
    if (!can_hold(forms, values[i])) continue;
    wire::Bytes bytes;
    encode(values[i], forms, bytes);
    const auto decoded = decode(bytes);
    REQUIRE(decoded.has_value());
    CHECK(*decoded == values[i]);

    for (std::size_t size = 0; size < bytes.size(); ++size) {
      CAPTURE(size);
      const auto cut = decode(std::string_view(bytes).substr(0, size));
      REQUIRE_FALSE(cut.has_value());
      CHECK(cut.error().code == ErrorCode::marshalling_error);
    }
    CHECK_FALSE(decode(bytes + '\0').has_value());
    // With a flipped bit the bytes are refused or another value; sanitizers check for undefined
    // behaviour. The first byte is the version: another one may have the same fields.
    for (std::size_t bit = 8; bit < 8 * bytes.size(); ++bit) {
      wire::Bytes flipped = bytes;
      flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
      const auto other = decode(flipped);
      if (other.has_value()) CHECK(!(*other == values[i]));
    }
  }
}

// Calls `check_round_trip` for every level: each has versions of its own.
template <class Value, class Decode>
void check_round_trips(const std::vector<Value>& values, const Decode& decode) {
  std::uint32_t level = wire::known_levels.least.value;
  for (const wire::Forms& forms : support::forms_of_all_levels()) {
    CAPTURE(level);
    check_round_trip(forms, values, decode);
    level += 1;
  }
}

TEST_CASE("commands of every version are decoded from their bytes, and refused if truncated") {
  check_round_trips(commands(), [](std::string_view bytes) { return decode_command(bytes); });
}

TEST_CASE("transactions of every version are decoded from their bytes, and refused if truncated") {
  check_round_trips(transactions(),
                    [](std::string_view bytes) { return decode_transaction(bytes); });
}

TEST_CASE("origin_of reads owner and tag from the beginning of a transaction") {
  for (const Transaction& transaction : transactions()) {
    wire::Bytes bytes;
    encode(transaction, wire::Forms{}, bytes);
    CHECK(origin_of(bytes) == Origin{transaction.owner, transaction.tag});
    CHECK(origin_of(std::string_view(bytes).substr(0, 10)) == std::nullopt);
  }
}

TEST_CASE("refusals of every version are decoded from their bytes, and refused if truncated") {
  check_round_trips(refusals(), [](std::string_view bytes) { return decode_refusal(bytes); });
}

TEST_CASE("command_body_of: writes and close are sent to the leader, reads are not") {
  CHECK(std::holds_alternative<wire::CreateRequest>(*command_body_of(wire::CreateRequest{})));
  CHECK(std::holds_alternative<wire::SetRequest>(*command_body_of(wire::SetRequest{})));
  CHECK(std::holds_alternative<wire::DeleteRequest>(*command_body_of(wire::DeleteRequest{})));
  CHECK(std::holds_alternative<wire::SetAclRequest>(*command_body_of(wire::SetAclRequest{})));
  CHECK(std::holds_alternative<wire::MultiRequest>(*command_body_of(wire::MultiRequest{})));
  CHECK(*command_body_of(wire::CloseRequest{}) == CommandBody(CloseSession{false}));
  for (const wire::Request& request : std::vector<wire::Request>{
           wire::GetRequest{}, wire::ExistsRequest{}, wire::ChildrenRequest{}, wire::CountRequest{},
           wire::EphemeralsRequest{}, wire::GetAclRequest{}, wire::SyncRequest{},
           wire::WatchRequest{}, wire::UnwatchRequest{}, wire::AuthRequest{}, wire::WhoamiRequest{},
           wire::PingRequest{}, wire::ConnectRequest{}}) {
    CAPTURE(request.index());
    CHECK_FALSE(command_body_of(request).has_value());
  }
}

}  // namespace
}  // namespace session
