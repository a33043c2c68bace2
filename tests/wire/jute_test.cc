#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <doctest/doctest.h>

#include "wire/jute/bytes.h"
#include "wire/jute/replies.h"
#include "wire/jute/requests.h"

namespace wire::jute {
namespace {

std::string bytes_of(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  }
  return bytes;
}

std::string hex_of(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string hex;
  for (const char c : bytes) {
    hex += digits[static_cast<unsigned char>(c) >> 4];
    hex += digits[static_cast<unsigned char>(c) & 15];
  }
  return hex;
}

template <typename Write>
std::string written(Write write) {
  std::string out;
  Writer writer(out);
  write(writer);
  return out;
}

// The request of a frame with this type, and a body that `write` makes.
template <typename Write>
Body body_of(Opcode type, Write write) {
  const auto frame = written([&](Writer& out) {
    out.int32(7);
    out.int32(static_cast<std::int32_t>(type));
    write(out);
  });
  auto parsed = parse_request(frame);
  REQUIRE(parsed.has_value());
  CHECK(parsed->header.xid == 7);
  return std::move(parsed->body);
}

std::int32_t error_of(const Body& body) {
  const auto* answer = std::get_if<Answer>(&body);
  return answer == nullptr ? 0 : answer->error;
}

void write_open_acl(Writer& out) {
  out.int32(1);
  out.int32(31);
  out.text("world");
  out.text("anyone");
}

void write_create(Writer& out, std::int32_t flags) {
  out.text("/a");
  out.text("d");
  write_open_acl(out);
  out.int32(flags);
}

TEST_CASE("values are read as they were written, and null is not empty") {
  const std::string bytes = written([](Writer& out) {
    out.int32(-2);
    out.int64(0x0102030405060708);
    out.boolean(true);
    out.text("ab");
    out.text("");
    out.null();
  });
  CHECK(hex_of(bytes) ==
        "fffffffe010203040506070801000000026162"
        "00000000"
        "ffffffff");
  Reader in(bytes);
  CHECK(in.int32() == -2);
  CHECK(in.int64() == 0x0102030405060708);
  CHECK(in.boolean());
  CHECK(in.text() == "ab");
  CHECK(in.text() == "");
  CHECK(in.text() == std::nullopt);
  CHECK(!in.failed());
  CHECK(in.int32() == 0);
  CHECK(in.failed());
}

TEST_CASE("invalid lengths and counts fail, and reserve no memory") {
  for (const std::string hex : {"00000003616263", "7fffffff61", "fffffffe", "80000000", "0000"}) {
    CAPTURE(hex);
    const std::string bytes = bytes_of(hex);
    Reader in(bytes);
    const auto text = in.text();
    CHECK(in.failed() == (hex != "00000003616263"));
    CHECK((in.failed() || text == "abc"));
  }
  const std::string many = bytes_of("7fffffff0000000161");
  Reader huge(many);
  CHECK(huge.count(4) == 0);
  CHECK(huge.failed());
  const std::string nothing = bytes_of("ffffffff");
  Reader null(nothing);
  CHECK(null.count(4) == std::nullopt);
}

TEST_CASE("a connect request has a password, and clients before 3.4 send no last byte") {
  const auto connect = [](std::int64_t session, std::string_view password, bool has_byte) {
    return parse_connect(written([&](Writer& out) {
      out.int32(0);
      out.int64(0x0000010000000005);
      out.int32(-5);
      out.int64(session);
      out.text(password);
      if (has_byte) out.boolean(true);
    }));
  };
  const auto resumed = connect(9, "0123456789abcdef", true);
  REQUIRE(resumed.has_value());
  CHECK(resumed->request.session == SessionId{9});
  CHECK(resumed->request.password == "30313233343536373839616263646566");
  CHECK(resumed->request.last_zxid == Zxid{{1}, 5});
  CHECK(resumed->request.timeout_ms == 0);
  CHECK(resumed->request.read_only);
  const auto fresh = connect(0, "", false);
  REQUIRE(fresh.has_value());
  CHECK(!fresh->has_read_only);
  CHECK(!fresh->request.session.has_value());
  CHECK(!fresh->request.read_only);
  CHECK(connect(9, "short", true)->request.password.empty());
  CHECK(!parse_connect("").has_value());
}

TEST_CASE("the flags of a create select the kind of the node, and invalid flags are refused") {
  struct Row {
    Opcode type;
    std::int32_t flags;
    std::int64_t ttl;
    std::int32_t error;
    std::string kind;
  };
  const Row rows[] = {
      {Opcode::create, 0, 0, 0, ""},
      {Opcode::create2, 1, 0, 0, "ephemeral "},
      {Opcode::create, 2, 0, 0, "sequential "},
      {Opcode::create, 3, 0, 0, "ephemeral sequential "},
      {Opcode::create, 4, 0, 0, ""},
      {Opcode::create, 5, 0, -8, ""},
      {Opcode::create, -1, 0, -8, ""},
      {Opcode::create_container, 77, 0, 0, "container "},
      {Opcode::create_ttl, 5, 100, 0, "ttl "},
      {Opcode::create_ttl, 6, 100, 0, "sequential ttl "},
      {Opcode::create_ttl, 0, -1, -8, ""},
      {Opcode::create_ttl, 5, 0, -8, ""},
      {Opcode::create_ttl, 5, std::int64_t{1} << 40, -8, ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.flags);
    const Body body = body_of(row.type, [&](Writer& out) {
      write_create(out, row.flags);
      if (row.type == Opcode::create_ttl) out.int64(row.ttl);
    });
    CHECK(error_of(body) == row.error);
    if (row.error != 0) continue;
    const auto& create = std::get<CreateRequest>(std::get<Ask>(body).request);
    std::string kind;
    if (create.ephemeral) kind += "ephemeral ";
    if (create.sequential) kind += "sequential ";
    if (create.container) kind += "container ";
    if (create.ttl_ms) kind += "ttl ";
    CHECK(kind == row.kind);
    CHECK(create.path == "/a");
    CHECK(create.data == "d");
    CHECK(create.acl == open_acl());
  }
}

TEST_CASE("malformed requests get the error that ZooKeeper gives them") {
  const auto nothing = [](Writer&) {};
  const auto null_path = [](Writer& out) {
    out.null();
    out.boolean(false);
  };
  CHECK(error_of(body_of(Opcode::get_data, nothing)) == -5);
  CHECK(error_of(body_of(Opcode::get_data, null_path)) == -5);
  CHECK(error_of(body_of(Opcode::create, nothing)) == -5);
  CHECK(error_of(body_of(Opcode::multi, nothing)) == -5);
  CHECK(error_of(body_of(Opcode::set_watches, nothing)) == -5);
  CHECK(error_of(body_of(Opcode::reconfig, nothing)) == -123);
  CHECK(error_of(body_of(Opcode::add_watch, [](Writer& out) {
          out.text("/a");
          out.int32(2);
        })) == -5);
  for (const std::int32_t unknown : {0, 10, 13, 20, 23, 99, 108, 500, -10, -1}) {
    CAPTURE(unknown);
    const Body body = body_of(Opcode{unknown}, nothing);
    CHECK(error_of(body) == -6);
    CHECK(std::get<Answer>(body).then == Answer::Then::closes);
  }
  CHECK(std::get<Answer>(body_of(Opcode::auth, nothing)).then == Answer::Then::closes_silently);
  CHECK(!parse_request("1234567").has_value());
}

TEST_CASE("an ACL without entries, or with unknown permissions, is refused later") {
  const auto acl_of = [](auto write) {
    const Body body = body_of(Opcode::set_acl, [&](Writer& out) {
      out.text("/a");
      write(out);
      out.int32(-1);
    });
    return std::get<SetAclRequest>(std::get<Ask>(body).request).acl;
  };
  CHECK(acl_of([](Writer& out) { out.null(); }).empty());
  CHECK(acl_of([](Writer& out) { out.int32(0); }).empty());
  CHECK(acl_of(write_open_acl) == open_acl());
  const Acl strange = acl_of([](Writer& out) {
    out.int32(1);
    out.int32(32);
    out.text("world");
    out.text("anyone");
  });
  REQUIRE(strange.size() == 1);
  CHECK(strange.front().scheme.empty());
}

TEST_CASE("a multi has the opcode of each operation, and invalid flags fail at their operation") {
  const Body body = body_of(Opcode::multi, [](Writer& out) {
    const auto header = [&](Opcode type, bool is_end) {
      out.int32(static_cast<std::int32_t>(type));
      out.boolean(is_end);
      out.int32(-1);
    };
    header(Opcode::check, false);
    out.text("/a");
    out.int32(3);
    header(Opcode::create2, false);
    write_create(out, 9);
    header(Opcode{-1}, true);
  });
  const auto& multi = std::get<Multi>(body);
  CHECK(multi.types == std::vector{Opcode::check, Opcode::create2});
  REQUIRE(multi.request.ops.size() == 2);
  CHECK(std::get<CheckRequest>(multi.request.ops[0]).version == 3);
  CHECK(std::get<CreateRequest>(multi.request.ops[1]).path.empty());
}

TEST_CASE("replies and events have the bytes that ZooKeeper sends") {
  std::string out;
  write_reply(1, 0x1bc, 0, written([](Writer& body) { body.text("/t-w"); }), out);
  CHECK(hex_of(out) == "000000180000000100000000000001bc00000000000000042f742d77");
  out.clear();
  write_reply(2, 0x1bc, -101, "ignored", out);
  CHECK(hex_of(out) == "000000100000000200000000000001bcffffff9b");
  out.clear();
  write_event(EventKind::changed, {}, "/t-w", out);
  CHECK(hex_of(out) == "00000020ffffffff0000000000000000000000000000000300000003000000042f742d77");
  out.clear();
  write_no_session(true, out);
  CHECK(hex_of(out) == "000000250000000000000000000000000000000000000010" + std::string(34, '0'));
  out.clear();
  ConnectedReply connected;
  connected.session = {5};
  connected.password = "000102030405060708090a0b0c0d0e0f";
  connected.timeout_ms = 10'000;
  write_connected(connected, false, out);
  CHECK(hex_of(out) ==
        "00000024000000000000271000000000000000050000001000010203"
        "0405060708090a0b0c0d0e0f");
}

TEST_CASE("in a failed multi, the operations before the failed one have no error") {
  MultiReply reply;
  const Error inconsistent{ErrorCode::runtime_inconsistency, ""};
  reply.results = {inconsistent, Error{ErrorCode::bad_version, ""}, inconsistent};
  reply.failed = 1;
  std::string out;
  write_multi(reply, {Opcode::create, Opcode::check, Opcode::remove}, out);
  CHECK(hex_of(out) ==
        "ffffffff000000000000000000"
        "ffffffff00ffffff99ffffff99"
        "ffffffff00fffffffefffffffe"
        "ffffffff01ffffffff");
}

TEST_CASE("a list of children that ended early is an error") {
  ChildrenReply part;
  part.children.push_back({"a", {}, {}});
  part.more = true;
  std::string out;
  CHECK(write_body(Opcode::get_children, ReplyBody(part), {}, out) == -8);
  CHECK(out.empty());
  const Result<ReplyBody> result = ReplyBody(part);
  write_read_result(result, out);
  CHECK(hex_of(out) == "ffffffff00fffffff8fffffff8");
}

TEST_CASE("every error has a number that ZooKeeper's clients know") {
  const std::pair<ErrorCode, std::int32_t> rows[] = {
      {ErrorCode::no_node, -101},          {ErrorCode::too_large, -8},
      {ErrorCode::too_many_watches, -8},   {ErrorCode::overloaded, -127},
      {ErrorCode::quota_exceeded, -125},   {ErrorCode::connection_loss, -8},
      {ErrorCode::condition_failed, -8},   {ErrorCode::invalid_acl, -114},
      {ErrorCode::reconfig_disabled, -123}};
  for (const auto& [code, number] : rows) CHECK(error_number(code) == number);
}

}  // namespace
}  // namespace wire::jute
