#include <string>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "tests/wire/samples.h"
#include "wire/base64.h"
#include "wire/cbor.h"
#include "wire/json.h"

// Reads the written CBOR with another library, and compares it with the JSON of the same message.
namespace wire::cbor {
namespace {

using Json = nlohmann::ordered_json;

std::string bytes_of(const auto& message) {
  std::string out;
  write(message, out);
  return out;
}
std::string text_of(const auto& message) {
  std::string out;
  json::write(message, out);
  return out;
}

// `data` and `data64` as byte strings.
Json with_bytes(const Json& json) {
  if (json.is_array()) {
    Json list = Json::array();
    for (const Json& item : json) list.push_back(with_bytes(item));
    return list;
  }
  if (!json.is_object()) return json;
  Json object = Json::object();
  for (const auto& [key, value] : json.items()) {
    if (key != "data" && key != "data64") {
      object[key] = with_bytes(value);
      continue;
    }
    const std::string text = value.get<std::string>();
    const Bytes bytes = key == "data" ? text : from_base64(text).value();
    object["data"] = Json::binary({bytes.begin(), bytes.end()});
  }
  return object;
}

TEST_CASE("a server reads the request that a client wrote in CBOR, the same as from JSON") {
  for (const Request& request : samples::requests()) {
    for (const char* id : {"7", "\"an \\\"id\\\"\"", "-1.5"}) {
      for (const Encoding encoding : {Encoding::text_if_utf8, Encoding::base64}) {
        const ClientRequest sent{{id}, encoding, request};
        CAPTURE(text_of(sent));
        const ParsedFrame frame = parse_requests(bytes_of(sent));
        REQUIRE(frame.requests.size() == 1);
        const ParsedRequest& received = frame.requests.front();
        REQUIRE_MESSAGE(received.has_value(), received.error().error.message);
        CHECK(*received == sent);
        CHECK(*json::parse_requests(text_of(sent)).requests.front() == *received);
        CHECK(Json::from_cbor(bytes_of(sent)) == with_bytes(Json::parse(text_of(sent))));
      }
    }
  }
}

TEST_CASE("a server reads the conditions that a client wrote in CBOR") {
  std::vector<ClientRequest> all = samples::newer_requests();
  std::ranges::move(samples::turn_requests(), std::back_inserter(all));
  for (const ClientRequest& sent : all) {
    CAPTURE(text_of(sent));
    const ParsedFrame frame = parse_requests(bytes_of(sent));
    REQUIRE(frame.requests.size() == 1);
    REQUIRE_MESSAGE(frame.requests.front().has_value(),
                    frame.requests.front().error().error.message);
    CHECK(*frame.requests.front() == sent);
  }
}

TEST_CASE("a server writes the same object in CBOR as in JSON") {
  const auto check = [](const ServerMessage& message) {
    CAPTURE(text_of(message));
    CHECK(Json::from_cbor(bytes_of(message)) == with_bytes(Json::parse(text_of(message))));
  };
  for (const samples::Exchange& exchange : samples::exchanges()) {
    for (const Encoding encoding : {Encoding::text_if_utf8, Encoding::base64}) {
      check(Reply{{"7"}, samples::zxid, encoding, exchange.body});
    }
  }
  for (const ServerMessage& message : samples::announcements()) check(message);
}

TEST_CASE("a truncated frame is refused, in CBOR") {
  for (const Request& request : samples::requests()) {
    const std::string whole = bytes_of(ClientRequest{{"\"x\""}, {}, request});
    for (std::size_t size = 0; size < whole.size(); ++size) {
      const ParsedFrame frame = parse_requests(std::string_view(whole).substr(0, size));
      REQUIRE(frame.requests.size() == 1);
      CHECK(frame.requests.front().has_error());
      CHECK(frame.fault == ParsedFrame::Fault::not_cbor);
    }
  }
}

TEST_CASE("lengths of 1, 2 and 4 bytes are written and read") {
  for (const std::size_t size : {23, 24, 255, 256, 65'535, 65'536}) {
    const Request set = SetRequest{"/a", Bytes(size, '\xff'), 0, false};
    CHECK(parse_requests(bytes_of(ClientRequest{{"1"}, {}, set})).requests.front()->request == set);
    const EphemeralsReply many{std::vector<std::string>(size, "/a")};
    const std::string reply = bytes_of(ServerMessage{Reply{{"1"}, {}, {}, ReplyBody{many}}});
    CHECK(Json::from_cbor(reply).at("paths").size() == size);
  }
}

}  // namespace
}  // namespace wire::cbor
