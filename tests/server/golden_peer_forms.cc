#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>

#include <doctest/doctest.h>

#include "server/peers/greeting.h"
#include "server/peers/peer_message.h"
#include "tests/server/golden_form.h"
#include "tests/server/peer_messages.h"

namespace golden {
namespace {

constexpr std::array message_names = {
    "Notification",   "FollowerInfo", "LeaderInfo",     "AckEpoch",
    "Diff",           "Trunc",        "Snap",           "SnapChunk",
    "Diverged",       "NewLeader",    "AckNewLeader",   "UpToDate",
    "Proposal",       "Ack",          "Commit",         "Inform",
    "Successor",      "Ping",         "Pong",           "Forward",
    "ForwardRefused", "Touched",      "AskReadPoint",   "ReadPoint",
    "KeepAlive",      "ClockReading", "ConfirmTouches", "TouchesConfirmed"};

template <class Content>
bool is_greeting(std::string_view bytes, const Content& content, server::GreetingForm form) {
  const auto received = server::decode_greeting(bytes);
  if (!received || received->form != form) return false;
  const auto* same = std::get_if<Content>(&received->content);
  return same != nullptr && *same == content;
}

}  // namespace

void add_greetings(GoldenForms& forms) {
  server::Greeting greeting;
  greeting.from = {3};
  greeting.to = {1};
  greeting.ensemble = 0x0102030405060708;
  greeting.cluster = {0x1122334455667788, 0x99aabbccddeeff00};
  greeting.protocols = {2, 5};
  greeting.levels = {{0}, {3}};
  greeting.level = {2};
  greeting.program = "zabkeeper 0.2.0";
  greeting.instance = 0x1112131415161718;
  GoldenForm fields{"greeting 3, of a server", {}, [greeting](std::string_view bytes) {
                      return is_greeting(bytes, greeting, server::GreetingForm::fields);
                    }};
  encode(greeting, server::GreetingForm::fields, fields.written);
  forms.push_back(std::move(fields));

  server::Greeting old = greeting;
  old.protocols = server::old_protocols;
  old.levels = server::old_levels;
  old.level = server::old_levels.least;
  old.program = server::old_program;
  old.instance = 0;
  GoldenForm fixed{"greeting 2, of a server", {}, [old](std::string_view bytes) {
                     return is_greeting(bytes, old, server::GreetingForm::fixed);
                   }};
  encode(greeting, server::GreetingForm::fixed, fixed.written);
  forms.push_back(std::move(fixed));

  const server::GreetingRefused refused{"server 3 is not expected"};
  GoldenForm refusal{"greeting 3, refused", {}, [refused](std::string_view bytes) {
                       return is_greeting(bytes, refused, server::GreetingForm::fields);
                     }};
  encode(refused, refusal.written);
  forms.push_back(std::move(refusal));
}

// The first protocol that has the message is in its name.
void add_peer_messages(GoldenForms& forms) {
  const auto messages = peer_messages::one_of_each();
  REQUIRE(messages.size() == message_names.size());
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const server::PeerMessage& message = messages[i];
    const auto protocol = std::max(server::known_protocols.least, server::least_protocol(message));
    GoldenForm form{"message of protocol " + std::to_string(protocol) + ", " + message_names[i],
                    {},
                    [message](std::string_view bytes) {
                      const auto decoded = server::decode_peer_message(bytes);
                      if (!decoded || decoded->index() != message.index()) return false;
                      wire::Bytes again;
                      encode(*decoded, again);
                      return again == bytes;
                    }};
    encode(message, form.written);
    forms.push_back(std::move(form));
  }
}

}  // namespace golden
