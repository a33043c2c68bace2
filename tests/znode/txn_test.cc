#include "znode/txn.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tests/znode/printing.h"
#include "wire/bytes.h"

namespace znode {
namespace {

std::vector<Txn> samples() {
  const CreateTxn create{"/a/b-0000000001",
                         {"/a"},
                         std::string("d\0ta", 4),
                         Lifetime::of_session({0x0102030405060708}),
                         wire::Acl{{"digest", "a:b", 3}}};
  const SetTxn set{"/a", "x", -5, true, {"/z"}};
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

TEST_CASE("transactions are decoded from their bytes, and refused if truncated") {
  for (const Txn& txn : samples()) {
    CAPTURE(txn.index());
    wire::Bytes bytes;
    encode(txn, wire::Forms{}, bytes);
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

// Any result is right; sanitizers check for undefined behaviour.
TEST_CASE("transactions with one flipped bit are decoded or refused") {
  for (const Txn& txn : samples()) {
    wire::Bytes bytes;
    encode(txn, wire::Forms{}, bytes);
    for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
      wire::Bytes flipped = bytes;
      flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
      wire::ByteReader in(flipped);
      const auto decoded = decode_txn(in);
      if (decoded && in.complete()) CHECK(*decoded != txn);
    }
  }
}

TEST_CASE("invalid transactions are refused") {
  struct Row {
    const char* mistake;
    wire::Bytes bytes;
  };
  for (const Row& row : {
           Row{"an unknown format", {1, 3}},
           Row{"an unknown kind", {2, 99}},
           Row{"kind 0", {2, 0}},
           Row{"a read outside a multi", std::string("\2\7\0\0\0\0\1\0", 8)},
           Row{"a list with a very large size", {2, 4, -1, -1, -1, -1}},
           Row{"a boolean that is neither 0 nor 1",
               std::string("\2\2\0\0\0\0\0\0\0\0\0\0\0\0\2", 15)},
       }) {
    CAPTURE(row.mistake);
    wire::ByteReader in(row.bytes);
    CHECK_FALSE(decode_txn(in));
  }
}

}  // namespace
}  // namespace znode
