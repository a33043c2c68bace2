#include <cstdint>
#include <type_traits>
#include <variant>
#include <vector>

#include <doctest/doctest.h>

#include "tests/wire/samples.h"
#include "wire/archive_fields.h"

// Logs and checkpoints have these bytes. A field that is added to a list, or moved in it, changes
// them: then every form that contains the struct needs a new version.
namespace wire::archive {
namespace {

using Write = std::variant<CreateRequest, SetRequest, DeleteRequest, SetAclRequest, MultiRequest>;
using Kept = std::variant<EmptyReply, CreateReply, SetReply, AclReply, GetReply, ChildrenReply>;

template <class T>
Bytes bytes_of(const T& value) {
  Bytes bytes;
  ByteWriter out(bytes);
  write(out, value);
  return bytes;
}

// FNV-1a.
std::uint64_t hash_of(const Bytes& bytes) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

TEST_CASE("the binary form of requests, replies and records does not change") {
  CHECK(bytes_of(Write(SetRequest{"/a", "v", 5, false})) ==
        Bytes("\x02\x02\0\0\0/a\x01\0\0\0v\x05\0\0\0\0", 17));

  Bytes all;
  for (const Request& request : samples::requests()) {
    std::visit(
        [&]<class T>(const T& each) {
          if constexpr (std::is_constructible_v<Write, T>) {
            all += bytes_of(Write(each));
          } else if constexpr (std::is_same_v<T, GetRequest> ||
                               std::is_same_v<T, ChildrenRequest>) {
            all += bytes_of(MultiOp(each));
          }
        },
        request);
  }
  for (const samples::Exchange& exchange : samples::exchanges()) {
    if (exchange.body.has_error()) continue;
    std::visit(
        [&]<class T>(const T& each) {
          if constexpr (std::is_constructible_v<Kept, T>) all += bytes_of(Kept(each));
        },
        *exchange.body);
  }
  all += bytes_of(samples::acl()) + bytes_of(samples::special_stat());
  all += bytes_of(std::vector<Identity>{{"ip", "1"}});
  all += bytes_of(ReadOptions{AtLeast{{{1}, 5}}, true});
  CHECK(hash_of(all) == 0xc1c6cfe33e4e6b32);
}

}  // namespace
}  // namespace wire::archive
