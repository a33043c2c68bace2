#include "znode/txn.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tests/support/levels.h"
#include "tests/znode/printing.h"
#include "wire/bytes.h"

namespace znode {
namespace {

std::vector<Txn> samples() {
  const CreateTxn create{"/a/b-0000000001",
                         {"/a"},
                         std::string("d\0ta", 4),
                         Lifetime::of_session({0x0102030405060708}),
                         SharedAcl({{"digest", "a:b", 3}})};
  const SetTxn set{"/z/a", "x", -5, true, {"/z"}};
  const DeleteTxn remove{"/a", 17};
  wire::ChildrenRequest children;
  children.path = "/c";
  children.with_data = true;
  children.after = "m";
  children.limit = 3;
  children.read.consistency = wire::AtLeast{{{2}, 9}};
  const wire::GetRequest get{"/g", {wire::Linearizable{}, false}};
  return {create,
          CreateTxn{},
          set,
          remove,
          DeleteManyTxn{},
          DeleteManyTxn{{"/a", "", "/c"}},
          CreateTxn{"/t", {}, "", Lifetime::of_ttl(60'000), {}},
          CreateTxn{"/c", {}, "", Lifetime::of_container(), {}},
          CleanupTxn{{5}, 6},
          SetAclTxn{"/a", {{"world", "anyone", 1}}, 7},
          MultiTxn{},
          MultiTxn{{create, set, remove, CheckTxn{}, get,
                    ChildrenTxn{children, Identities::of({{"ip", "10.0.0.1"}})}}}};
}

TEST_CASE("transactions of every version are decoded from their bytes, and refused if truncated") {
  for (const wire::Forms& forms : support::forms_of_all_levels()) {
    for (const Txn& txn : samples()) {
      CAPTURE(forms.tree_transaction);
      CAPTURE(txn.index());
      wire::Bytes bytes;
      encode(txn, forms, bytes);
      wire::ByteReader in(bytes);
      const auto decoded = decode_txn(in);
      REQUIRE(decoded);
      CHECK(*decoded == txn);
      CHECK(in.complete());

      for (std::size_t size = 0; size < bytes.size(); ++size) {
        CAPTURE(size);
        wire::ByteReader cut(std::string_view(bytes).substr(0, size));
        CHECK(decode_txn(cut).error().code == wire::ErrorCode::marshalling_error);
      }
    }
  }
}

TEST_CASE("version 4 has the branch of a multi, and the bounds and orders of its lists") {
  wire::ChildrenRequest list;
  list.path = "/c";
  list.before = "m";
  list.reverse = true;
  wire::ChildrenRequest by_number = list;
  by_number.order = wire::ChildOrder::sequence;
  wire::ChildrenRequest forwards = by_number;
  forwards.reverse = false;

  for (const std::optional<wire::Branch> branch :
       {std::optional<wire::Branch>{}, std::optional(wire::Branch::ops),
        std::optional(wire::Branch::otherwise)}) {
    const Txn txn(MultiTxn{.ops = {CheckTxn{}, ChildrenTxn{list, {}}, ChildrenTxn{by_number, {}},
                                   ChildrenTxn{forwards, {}}},
                           .branch = branch});
    wire::Bytes bytes;
    encode(txn, wire::newest_forms, bytes);
    wire::ByteReader in(bytes);
    CHECK(*decode_txn(in) == txn);
    wire::ByteReader unknown(bytes);
    CHECK(decode_txn(unknown, wire::forms_at({2})).error().code == wire::ErrorCode::unimplemented);
  }
}

TEST_CASE("from version 3 on, paths, ACLs and identities are in a transaction once") {
  const auto bytes_of = [](const Txn& txn) {
    wire::Bytes bytes;
    encode(txn, wire::newest_forms, bytes);
    return bytes.size();
  };
  const SharedAcl acl({{"digest", std::string(1000, 'u'), 31}});
  const Identities identities = Identities::of({{"digest", std::string(1000, 'u')}});
  const std::string deep = "/" + std::string(500, 'a') + "/" + std::string(500, 'b') + "/c";
  wire::ChildrenRequest children;
  children.path = "/";
  MultiTxn one{{CreateTxn{deep, {deep.substr(0, 501), deep.substr(0, 1002)}, "", {}, acl},
                ChildrenTxn{children, identities}}};
  CHECK(bytes_of(one) < 3 * 1100);
  MultiTxn many = one;
  for (int i = 0; i < 100; ++i) {
    many.ops.emplace_back(CreateTxn{"/d", {}, "", {}, acl});
    many.ops.emplace_back(ChildrenTxn{children, identities});
  }
  CHECK(bytes_of(many) < bytes_of(one) + 100 * 100);

  // Another ACL in between is written, and the one after it again.
  MultiTxn alternating;
  const SharedAcl other({{"world", "anyone", 1}});
  for (const SharedAcl& each : {acl, other, SharedAcl(), acl, acl}) {
    alternating.ops.emplace_back(CreateTxn{"/d", {}, "", {}, each});
  }
  wire::Bytes bytes;
  encode(alternating, wire::newest_forms, bytes);
  wire::ByteReader in(bytes);
  CHECK(*decode_txn(in) == Txn(alternating));
}

// Any result is right; sanitizers check for undefined behaviour.
TEST_CASE("transactions with one flipped bit are decoded or refused") {
  for (const wire::Forms& forms : support::forms_of_all_levels()) {
    for (const Txn& txn : samples()) {
      wire::Bytes bytes;
      encode(txn, forms, bytes);
      for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
        wire::Bytes flipped = bytes;
        flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
        wire::ByteReader in(flipped);
        const auto decoded = decode_txn(in);
        // The bits of the version: an empty transaction may look the same in both.
        if (decoded && in.complete() && bit >= 8) CHECK(*decoded != txn);
      }
    }
  }
}

TEST_CASE("invalid transactions are refused") {
  struct Row {
    const char* mistake;
    wire::Bytes bytes;
  };
  for (const Row& row : {
           Row{"an unknown format", {4, 4}},
           Row{"an unknown kind", {2, 99}},
           Row{"kind 0", {2, 0}},
           Row{"a read outside a multi", std::string("\2\7\0\0\0\0\1\0", 8)},
           Row{"a list with a very large size", {2, 4, -1, -1, -1, -1}},
           Row{"a boolean that is neither 0 nor 1",
               std::string("\2\2\0\0\0\0\0\0\0\0\0\0\0\0\2", 15)},
           Row{"more parents than the path has",
               std::string("\3\2\2\0\0\0/a\0\0\0\0\0\0\0\0\1\0\2", 18)},
           Row{"an ACL as before, and none before", std::string("\3\1\2\0\0\0/a\0\0\0\0\0\0"
                                                                "\0\0\0\0\0\0\0\0\0\2",
                                                                24)},
       }) {
    CAPTURE(row.mistake);
    wire::ByteReader in(row.bytes);
    CHECK_FALSE(decode_txn(in));
  }
}

}  // namespace
}  // namespace znode
