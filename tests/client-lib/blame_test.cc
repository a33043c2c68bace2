#include "client-lib/blame.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "wire/close_reasons.h"

namespace zabkeeper {
namespace {

using wire::ErrorCode;

// Servers send these reasons: tests/server has the tests of that.
TEST_CASE("a close refuses the outstanding request unless its reason names another cause") {
  struct Row {
    const char* cause;
    std::uint16_t status;
    std::string_view reason;
    std::optional<ErrorCode> last_error;
    bool blames_a_frame;
    bool refuses_the_request;
  };
  const std::string_view auth_failed = wire::name(ErrorCode::auth_failed);
  const std::optional<ErrorCode> none;
  for (const Row& row : {
           Row{"the client is too slow", 1008, wire::close_reason::too_slow, none, false, false},
           Row{"too deep", 1008, wire::close_reason::too_deep, none, true, true},
           Row{"too deep, answered", 1008, wire::close_reason::too_deep, ErrorCode::bad_arguments,
               true, false},
           Row{"too large", 1009, wire::close_reason::too_large, none, true, true},
           Row{"too large, answered", 1009, wire::close_reason::too_large, ErrorCode::too_large,
               true, false},
           Row{"auth, answered", 1008, auth_failed, ErrorCode::auth_failed, true, false},
           Row{"another reply came last", 1009, wire::close_reason::too_large, ErrorCode::no_node,
               true, true},
           Row{"not UTF-8", 1007, "not UTF-8", none, true, true},
           Row{"a redirect", 1001, "the server stops", none, false, false},
       }) {
    CAPTURE(row.cause);
    const SocketLoss loss{"closed by the server: " + std::string(row.reason), row.status};
    const std::optional<Blame> blame = blame_of(loss, row.last_error, {100});
    CHECK(blame.has_value() == row.blames_a_frame);
    CHECK((blame && blame->refused.has_value()) == row.refuses_the_request);
  }
}

// A changed text would be unknown to clients of the versions before.
TEST_CASE("the close reasons are those that other versions know") {
  CHECK(wire::close_reason::too_slow == "too slow: take what the server sends sooner");
  CHECK(wire::close_reason::too_deep == "nested too deeply");
  CHECK(wire::close_reason::too_large == "the frame is too large");
  CHECK(wire::name(ErrorCode::auth_failed) == "AuthFailed");
}

}  // namespace
}  // namespace zabkeeper
