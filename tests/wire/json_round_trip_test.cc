#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "tests/wire/samples.h"
#include "wire/json.h"

namespace wire::json {
namespace {

std::string text_of(const auto& message) {
  std::string text;
  write(message, text);
  return text;
}

const RequestOf nothing_outstanding = [](const RequestId&) -> const Request* { return nullptr; };

ServerMessage reparsed(const std::string& text, const RequestOf& request_of) {
  auto messages = parse_server_messages(text, request_of);
  REQUIRE(messages.has_value());
  REQUIRE(messages->size() == 1);
  return std::move(messages->front());
}

TEST_CASE("a server reads the request that a client wrote") {
  for (const Request& request : samples::requests()) {
    for (const char* id : {"", "7", "\"an \\\"id\\\"\""}) {
      for (const Encoding encoding : {Encoding::text_if_utf8, Encoding::base64}) {
        const bool needs_id =
            text_of(ClientRequest{{}, {}, request}).find("\"watch") != std::string::npos;
        if (needs_id && *id == '\0') continue;
        const ClientRequest sent{{id}, encoding, request};
        const std::string text = text_of(sent);
        CAPTURE(text);
        const ParsedFrame frame = parse_requests(text);
        REQUIRE(frame.requests.size() == 1);
        const ParsedRequest& received = frame.requests.front();
        REQUIRE_MESSAGE(received.has_value(), received.error().error.message);
        CHECK(*received == sent);
      }
    }
  }
}

TEST_CASE("a server reads the conditions and turns that a client wrote") {
  std::vector<ClientRequest> all = samples::newer_requests();
  std::ranges::move(samples::turn_requests(), std::back_inserter(all));
  for (const ClientRequest& sent : all) {
    const std::string text = text_of(sent);
    CAPTURE(text);
    const ParsedFrame frame = parse_requests(text);
    REQUIRE(frame.requests.size() == 1);
    REQUIRE_MESSAGE(frame.requests.front().has_value(),
                    frame.requests.front().error().error.message);
    CHECK(*frame.requests.front() == sent);
  }
}

TEST_CASE("the requests of a list are read in order") {
  std::string text = "[";
  for (const Request& request : samples::requests()) {
    if (text.size() > 1) text += " ,\n";
    write(ClientRequest{{"1"}, {}, request}, text);
  }
  const ParsedFrame frame = parse_requests(text + "]");
  REQUIRE(frame.requests.size() == samples::requests().size());
  for (std::size_t i = 0; i < frame.requests.size(); ++i) {
    CHECK(frame.requests[i]->request == samples::requests()[i]);
  }
}

TEST_CASE("a client reads the reply that a server wrote") {
  for (const samples::Exchange& exchange : samples::exchanges()) {
    for (const Encoding encoding : {Encoding::text_if_utf8, Encoding::base64}) {
      const Reply sent{{"7"}, samples::zxid, encoding, exchange.body};
      const std::string text = text_of(ServerMessage{sent});
      CAPTURE(text);
      const ServerMessage message = reparsed(text, [&](const RequestId& id) {
        CHECK(id.json == "7");
        return &exchange.request;
      });
      const Reply& received = std::get<Reply>(message);
      CHECK(received.id == sent.id);
      CHECK(received.zxid == sent.zxid);
      CHECK((received.body == sent.body));
    }
  }
}

TEST_CASE("a client reads the events and announcements that a server wrote") {
  for (const ServerMessage& sent : samples::announcements()) {
    const std::string text = text_of(sent);
    CAPTURE(text);
    const ServerMessage received = reparsed(text, nothing_outstanding);
    CHECK(received.index() == sent.index());
    if (const auto* event = std::get_if<WatchEvent>(&sent)) {
      CHECK(std::get<WatchEvent>(received) == *event);
    }
    CHECK(text_of(received) == text);
  }
}

TEST_CASE("a reply without an id needs no outstanding request") {
  const Reply pong{{}, {}, {}, ReplyBody{PongReply{}}};
  CHECK(text_of(ServerMessage{pong}) == R"({"op":"pong","validMs":0})");
  CHECK((std::get<Reply>(reparsed(R"({"op":"pong"})", nothing_outstanding)).body == pong.body));
  const Reply closed = std::get<Reply>(reparsed(R"({"op":"closed"})", nothing_outstanding));
  CHECK((closed.body == Result<ReplyBody>(ReplyBody{ClosedReply{}})));

  const Reply error{{}, samples::zxid, {}, Error{ErrorCode::bad_arguments, "not JSON"}};
  const Reply received =
      std::get<Reply>(reparsed(text_of(ServerMessage{error}), nothing_outstanding));
  CHECK(received.id.none());
  CHECK((received.body == error.body));
}

TEST_CASE("the messages of a list are read in order") {
  const auto messages = parse_server_messages(
      R"([{"op":"pong"},{"op":"goaway","reason":"shutdown"},{"op":"expired"}])",
      nothing_outstanding);
  REQUIRE(messages.has_value());
  REQUIRE(messages->size() == 3);
  CHECK(std::get<GoAway>((*messages)[1]).reason == "shutdown");
}

TEST_CASE("a client refuses malformed and unknown messages") {
  const Request get = GetRequest{"/a", {}};
  const RequestOf outstanding = [&](const RequestId& id) {
    return id.json == "1" ? &get : nullptr;
  };
  for (const char* text : {
           "",
           "null",
           "7",
           "{",
           R"({"op":"connected"})",
           R"({"op":"hello"})",
           R"({"id":2,"zxid":"0000010000000005"})",
           R"({"id":1,"zxid":"0000010000000005"})",
           R"({"id":1,"zxid":5})",
           R"({"id":{},"zxid":"0000010000000005"})",
           R"({"id":1,"error":"Strange","message":""})",
           R"({"id":1,"error":"NoNode"})",
           R"({"watch":1,"event":"exploded","path":"/a","zxid":"0000010000000005"})",
           R"({"watch":1,"event":"changed","zxid":"0000010000000005"})",
           R"({"op":"goaway"})",
           R"([[]])",
           R"({"id":1,"data":"x","stat":{"czxid":"0"}})",
       }) {
    CAPTURE(text);
    const auto messages = parse_server_messages(text, outstanding);
    REQUIRE(messages.has_error());
    CHECK(messages.error().code == ErrorCode::marshalling_error);
  }
}

TEST_CASE("a client refuses deep nesting") {
  CHECK(parse_server_messages(std::string(100'000, '['), nothing_outstanding).has_error());
  std::string objects;
  for (int i = 0; i < 100'000; ++i) objects += R"({"a":)";
  CHECK(parse_server_messages(objects, nothing_outstanding).has_error());
}

TEST_CASE("a truncated frame is refused by the server and the client") {
  for (const Request& request : samples::requests()) {
    const std::string text = text_of(ClientRequest{{"\"x\""}, {}, request});
    for (std::size_t size = 0; size < text.size(); ++size) {
      const ParsedFrame frame = parse_requests(std::string_view(text).substr(0, size));
      REQUIRE(frame.requests.size() == 1);
      CHECK(frame.requests.front().has_error());
      CHECK(frame.fault != ParsedFrame::Fault::none);
    }
  }
  for (const samples::Exchange& exchange : samples::exchanges()) {
    const std::string text = text_of(ServerMessage{Reply{{"1"}, samples::zxid, {}, exchange.body}});
    for (std::size_t size = 0; size < text.size(); ++size) {
      CHECK(parse_server_messages(text.substr(0, size), [&](const RequestId&) {
              return &exchange.request;
            }).has_error());
    }
  }
}

TEST_CASE("another parser accepts all JSON that is written") {
  for (const samples::Exchange& exchange : samples::exchanges()) {
    const std::string text = text_of(ServerMessage{Reply{{"1"}, samples::zxid, {}, exchange.body}});
    CAPTURE(text);
    CHECK(nlohmann::json::accept(text));
  }
  std::string all_characters;
  for (int c = 0; c < 0x80; ++c) all_characters.push_back(static_cast<char>(c));
  const std::string text = text_of(ServerMessage{GoAway{all_characters}});
  CHECK(nlohmann::json::parse(text).at("reason") == all_characters);
}

}  // namespace
}  // namespace wire::json
