#include "session/request_order.h"

#include <cstdint>
#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace session {
namespace {

struct Reply {
  std::string text;
};
struct Read {
  std::string text;
};
using Queue = RequestOrder<Reply, Read>;

// Pops everything that is ready: "reply a; read b".
std::string drain(Queue& queue) {
  std::string popped;
  while (const auto next = queue.pop_ready()) {
    if (!popped.empty()) popped += "; ";
    popped += next->index() == 0 ? "reply " + std::get<Reply>(*next).text
                                 : "read " + std::get<Read>(*next).text;
  }
  return popped;
}

TEST_CASE("a read without earlier requests is carried out at once") {
  Queue queue;
  CHECK(drain(queue).empty());
  queue.push_read({"a"});
  queue.push_read({"b"});
  CHECK(queue.size() == 2);
  CHECK(drain(queue) == "read a; read b");
  CHECK(queue.empty());
}

TEST_CASE("a read waits for earlier writes, not for later ones") {
  Queue queue;
  queue.push_read({"a"});
  queue.push_write(1);
  queue.push_read({"b"});
  queue.push_write(2);
  queue.push_read({"c"});
  CHECK(drain(queue) == "read a");
  CHECK(queue.answer(2, {"2"}));
  CHECK(drain(queue).empty());
  CHECK(queue.answer(1, {"1"}));
  CHECK(drain(queue) == "reply 1; read b; reply 2; read c");
}

TEST_CASE("replies are sent in the order of their requests, whatever order they come in") {
  Queue queue;
  for (const std::uint64_t tag : {3u, 1u, 2u}) queue.push_write(tag);
  CHECK(queue.answer(2, {"2"}));
  CHECK(queue.answer(1, {"1"}));
  CHECK(drain(queue).empty());
  CHECK(queue.answer(3, {"3"}));
  CHECK(drain(queue) == "reply 3; reply 1; reply 2");
}

TEST_CASE("a reply that is known at once waits for earlier requests") {
  Queue queue;
  queue.push_write(1);
  queue.push_reply({"bad"});
  CHECK(drain(queue).empty());
  CHECK(queue.answer(1, {"1"}));
  CHECK(drain(queue) == "reply 1; reply bad");
}

TEST_CASE("a held read waits for its release and for earlier requests") {
  Queue queue;
  queue.push_held_read(1, {"a"});
  queue.push_write(2);
  queue.push_held_read(3, {"b"});
  CHECK(queue.release(3));
  CHECK(drain(queue).empty());
  CHECK(queue.release(1));
  CHECK(drain(queue) == "read a");
  CHECK(queue.answer(2, {"2"}));
  CHECK(drain(queue) == "reply 2; read b");
}

TEST_CASE("a held read can be answered without being carried out") {
  Queue queue;
  queue.push_held_read(1, {"a"});
  CHECK(queue.answer(1, {"too late"}));
  CHECK_FALSE(queue.release(1));
  CHECK(drain(queue) == "reply too late");
}

TEST_CASE("read_before carries out earlier reads before a write takes effect") {
  Queue queue;
  std::string carried_out;
  const auto carry_out = [&](const Read& read) -> std::optional<Reply> {
    if (read.text == "later") return std::nullopt;
    carried_out += read.text;
    return Reply{read.text + "!"};
  };
  const auto stays = [](const Read& read) { return read.text == "stays"; };
  queue.push_write(1);  // will be refused
  queue.push_read({"a"});
  queue.push_read({"stays"});
  queue.push_held_read(2, {"b"});
  queue.push_reply({"bad"});
  queue.push_write(3);
  queue.push_read({"c"});
  queue.push_held_read(4, {"later"});
  queue.push_read({"d"});
  queue.push_write(5);

  CHECK_FALSE(queue.read_before(1, stays, carry_out));
  CHECK_FALSE(queue.read_before(9, stays, carry_out));
  CHECK(queue.read_before(3, stays, carry_out));
  CHECK(carried_out == "ab");
  CHECK(queue.answer(3, {"3"}));
  CHECK_FALSE(queue.read_before(3, stays, carry_out));
  CHECK_FALSE(queue.release(2));
  CHECK(drain(queue).empty());
  CHECK(queue.answer(1, {"1"}));
  CHECK(drain(queue) == "reply 1; reply a!; read stays; reply b!; reply bad; reply 3; read c");

  // A read that must wait blocks later reads.
  CHECK_FALSE(queue.read_before(5, stays, carry_out));
  CHECK(queue.answer(5, {"5"}));
  CHECK(queue.release(4));
  CHECK(drain(queue) == "read later; read d; reply 5");
}

TEST_CASE("answer and release refuse tags without a waiting slot") {
  Queue queue;
  queue.push_write(1);
  queue.push_read({"a"});
  queue.push_held_read(5, {"b"});
  CHECK(queue.waiting() == std::vector<std::uint64_t>{1, 5});
  CHECK_FALSE(queue.answer(2, {""}));
  CHECK_FALSE(queue.answer(0, {""}));
  CHECK_FALSE(queue.release(0));
  CHECK_FALSE(queue.release(1));  // a write is answered, not released
  CHECK(queue.answer(1, {"1"}));
  CHECK_FALSE(queue.answer(1, {"again"}));
  CHECK(queue.waiting() == std::vector<std::uint64_t>{5});
}

}  // namespace
}  // namespace session
