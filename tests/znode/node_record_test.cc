#include "znode/node_record.h"

#include <string>

#include <doctest/doctest.h>

#include "wire/archive.h"
#include "znode/acl.h"
#include "znode/archive_fields.h"

namespace znode {
namespace {

// A stored node with this ACL. All its numbers are zero.
wire::Bytes stored(const wire::Acl& acl) {
  wire::Bytes bytes;
  wire::ByteWriter out(bytes);
  out.integer<std::uint8_t>(1);
  out.integer<std::uint64_t>(0);
  for (int i = 0; i < 3; ++i) out.zxid({});
  for (int i = 0; i < 2; ++i) out.integer<wire::TimeMs>(0);
  for (int i = 0; i < 3; ++i) out.integer<std::int32_t>(0);
  wire::archive::write(out, Lifetime{});
  out.boolean(false);
  wire::archive::write(out, acl);
  out.string("name");
  out.string("data");
  return bytes;
}

// What a plan refuses today, an earlier program may have allowed.
TEST_CASE("a stored ACL may be longer than a new one") {
  const wire::Acl acl(acl_entries_max + 1, {"digest", "a:b", 31});
  const auto node = decode_node(stored(acl));
  REQUIRE_MESSAGE(node.has_value(), node.error().message);
  CHECK(node->acl.list() == acl);
}

TEST_CASE("a stored ACL is neither empty nor one of those that are stored as open") {
  for (const wire::Acl& acl : {wire::Acl{}, wire::open_acl()}) {
    const auto node = decode_node(stored(acl));
    REQUIRE(!node.has_value());
    CHECK(node.error().code == wire::ErrorCode::marshalling_error);
  }
}

}  // namespace
}  // namespace znode
