#include "server/peers/handshake.h"

#include <optional>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>

#include "server/peers/completion.h"
#include "server/peers/frame.h"
#include "server/peers/peer_message.h"

namespace server {
namespace {

namespace asio = boost::asio;
using asio::awaitable;
using boost::system::error_code;
using tcp = asio::ip::tcp;

// Closes the socket when the timer expires before it is destroyed.
asio::steady_timer deadline_of(const SocketPtr& socket, std::chrono::milliseconds timeout) {
  asio::steady_timer deadline(socket->get_executor(), timeout);
  deadline.async_wait([socket](const error_code& error) {
    error_code ignored;
    if (!error) socket->close(ignored);
  });
  return deadline;
}

std::string text_of(const error_code& error) {
  const bool timed_out = error == asio::error::operation_aborted;  // deadline_of closed the socket
  return timed_out ? "timed out" : error.message();
}

// --- Sending ---

awaitable<error_code> send_frame(tcp::socket& socket, const wire::Bytes& content) {
  wire::Bytes frame;
  append_frame(content, frame);
  const auto [error, count] = co_await asio::async_write(socket, asio::buffer(frame), use_tuple);
  co_return error;
}

awaitable<std::optional<NotAgreed>> send(tcp::socket& socket, const wire::Bytes& content) {
  const error_code error = co_await send_frame(socket, content);
  if (!error) co_return std::nullopt;
  co_return NotAgreed{"the greeting could not be sent: " + text_of(error)};
}

wire::Bytes bytes_of(const Greeting& greeting, GreetingForm form) {
  wire::Bytes bytes;
  encode(greeting, form, bytes);
  return bytes;
}

wire::Bytes confirmation() {
  wire::Bytes bytes;
  encode(KeepAlive{}, bytes);
  return bytes;
}

// Waits until the other end has closed the connection, or the deadline has. To close a socket with
// unread bytes resets the connection, and the other end might lose the sentence.
awaitable<void> send_refused(tcp::socket& socket, const std::string& sentence) {
  wire::Bytes content;
  encode(GreetingRefused{sentence}, content);
  error_code error = co_await send_frame(socket, content);
  if (!error) socket.shutdown(tcp::socket::shutdown_send, error);
  wire::Bytes ignored(greeting_bytes_max, '\0');
  while (!error) {
    const auto [ended, count] = co_await socket.async_read_some(asio::buffer(ignored), use_tuple);
    error = ended;
  }
}

// Refuses what the other end has said in `received`, and tells it if it knows GreetingRefused.
awaitable<NotAgreed> refuse(tcp::socket& socket, const wire::Bytes& received,
                            std::string sentence) {
  if (begins_as(GreetingForm::fields, received)) co_await send_refused(socket, sentence);
  co_return NotAgreed{std::move(sentence), Dialed::refused};
}

NotAgreed refused_by(const std::string& name, const GreetingRefused& refused) {
  return {name + " refuses this server: " + refused.sentence, Dialed::refused};
}

// --- Receiving ---

bool is_close(const error_code& error) {
  return error == asio::error::eof || error == asio::error::connection_reset ||
         error == asio::error::broken_pipe;
}

// The content of the first frame that arrives. An announced length is checked before memory for it
// is allocated.
awaitable<std::variant<wire::Bytes, NotAgreed>> receive(tcp::socket& socket) {
  wire::Bytes frame(frame_header_bytes, '\0');
  const auto [error, count] = co_await asio::async_read(socket, asio::buffer(frame), use_tuple);
  if (error) {
    const bool unanswered = count == 0 && is_close(error);
    co_return NotAgreed{"no greeting was received: " + text_of(error),
                        unanswered ? Dialed::unanswered : Dialed::answered};
  }
  const std::uint32_t length = announced_bytes(frame);
  if (length > greeting_bytes_max) {
    co_return NotAgreed{"the other end is no Zabkeeper server, or its greeting is longer than " +
                        std::to_string(greeting_bytes_max) + " bytes"};
  }
  frame.resize(frame_header_bytes + length);
  const auto [cut, more] = co_await asio::async_read(
      socket, asio::buffer(frame.data() + frame_header_bytes, length), use_tuple);
  if (cut) co_return NotAgreed{"no complete greeting was received: " + text_of(cut)};
  FrameReader reader;
  reader.append(frame);
  const auto content = reader.next();
  if (!content) co_return NotAgreed{content.error().message};
  co_return wire::Bytes(**content);
}

// Step 3 for the server that accepted the connection: nothing if the other end has confirmed.
awaitable<std::optional<NotAgreed>> await_confirmation(tcp::socket& socket,
                                                       const std::string& name) {
  const auto received = co_await receive(socket);
  if (const auto* failure = std::get_if<NotAgreed>(&received)) {
    co_return NotAgreed{name + " did not confirm the greetings: " + failure->reason};
  }
  const auto& content = std::get<wire::Bytes>(received);
  if (content == confirmation()) co_return std::nullopt;
  const auto greeting = decode_greeting(content);
  const auto* refused = greeting ? std::get_if<GreetingRefused>(&greeting->content) : nullptr;
  if (refused != nullptr) co_return refused_by(name, *refused);
  co_return NotAgreed{name + " neither confirmed nor refused the greetings"};
}

std::string name_of(zab::ServerId server) { return "server " + zab::to_string(server); }

}  // namespace

awaitable<HandshakeResult> greet_first(SocketPtr socket, zab::ServerId to, GreetingForm form,
                                       OwnPart own) {
  const asio::steady_timer deadline = deadline_of(socket, own.timeout);
  const wire::Bytes first = bytes_of(own.greeting(to), form);
  if (auto failure = co_await send(*socket, first)) co_return *std::move(failure);
  const auto received = co_await receive(*socket);
  if (const auto* failure = std::get_if<NotAgreed>(&received)) co_return *failure;
  const auto& content = std::get<wire::Bytes>(received);
  const auto answer = decode_greeting(content);
  if (!answer) co_return co_await refuse(*socket, content, answer.error().message);
  if (const auto* refused = std::get_if<GreetingRefused>(&answer->content)) {
    co_return refused_by(name_of(to), *refused);
  }
  if (answer->form != form) {
    co_return NotAgreed{name_of(to) + " answers in another form than it was greeted in"};
  }
  const auto& theirs = std::get<Greeting>(answer->content);
  const Greeting mine = own.greeting(to);  // the level may have changed meanwhile
  const auto agreed = agree(mine, theirs, own.is_expected);
  if (!agreed) co_return co_await refuse(*socket, content, agreed.error().message);
  if (form == GreetingForm::fields) {
    if (auto failure = co_await send(*socket, confirmation())) co_return *std::move(failure);
  }
  co_return Agreed{theirs.from, *agreed, theirs.instance};
}

awaitable<HandshakeResult> greet_second(SocketPtr socket, OwnPart own) {
  const asio::steady_timer deadline = deadline_of(socket, own.timeout);
  const auto received = co_await receive(*socket);
  if (const auto* failure = std::get_if<NotAgreed>(&received)) co_return *failure;
  const auto& content = std::get<wire::Bytes>(received);
  const auto greeting = decode_greeting(content);
  if (!greeting) co_return co_await refuse(*socket, content, greeting.error().message);
  if (const auto* refused = std::get_if<GreetingRefused>(&greeting->content)) {
    co_return refused_by("the other end", *refused);
  }
  const auto& theirs = std::get<Greeting>(greeting->content);
  const Greeting mine = own.greeting(theirs.from);
  const auto agreed = agree(mine, theirs, own.is_expected);
  if (!agreed) co_return co_await refuse(*socket, content, agreed.error().message);
  if (auto why = own.refuses(theirs)) {
    co_return co_await refuse(*socket, content, *std::move(why));
  }
  const wire::Bytes answer = bytes_of(mine, greeting->form);
  if (auto failure = co_await send(*socket, answer)) co_return *std::move(failure);
  if (greeting->form == GreetingForm::fields) {
    auto failure = co_await await_confirmation(*socket, name_of(theirs.from));
    if (failure) co_return *std::move(failure);
  }
  co_return Agreed{theirs.from, *agreed, theirs.instance};
}

}  // namespace server
