#include "server/peers/greeting.h"

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <xxhash.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>

#include "server/peers/frame.h"
#include "server/peers/use_tuple.h"
#include "zab/archive_fields.h"

namespace server {
namespace {

namespace asio = boost::asio;
using asio::awaitable;
using boost::system::error_code;
using tcp = asio::ip::tcp;

wire::Error broken(std::string what) {
  return {wire::ErrorCode::marshalling_error, std::move(what)};
}

wire::Error refused(std::string why) { return {wire::ErrorCode::connection_loss, std::move(why)}; }

// Closes the socket when the timer expires before it is destroyed.
asio::steady_timer deadline_of(const SocketPtr& socket, std::chrono::milliseconds timeout) {
  asio::steady_timer deadline(socket->get_executor(), timeout);
  deadline.async_wait([socket](const error_code& error) {
    error_code ignored;
    if (!error) socket->close(ignored);
  });
  return deadline;
}

awaitable<error_code> send(tcp::socket& socket, const Hello& hello) {
  wire::Bytes content;
  encode(hello, content);
  wire::Bytes frame;
  append_frame(content, frame);
  const auto [error, count] = co_await asio::async_write(socket, asio::buffer(frame), use_tuple);
  co_return error;
}

awaitable<wire::Result<Hello>> receive(tcp::socket& socket) {
  wire::Bytes content;
  encode(Hello{}, content);
  wire::Bytes frame(frame_header_bytes + content.size(), '\0');  // a Hello's size is fixed
  const auto [error, count] = co_await asio::async_read(socket, asio::buffer(frame), use_tuple);
  if (error) co_return refused("no greeting was received: " + error.message());
  FrameReader reader;
  reader.append(frame);
  const auto received = reader.next();
  if (!received) co_return received.error();
  if (!*received) co_return refused("the greeting has an unknown length");
  co_return decode_hello(**received);
}

std::string name_of(const Hello& hello) { return "server " + zab::to_string(hello.from); }

// Why a server that sends `mine` refuses one that sends `theirs`; nothing if it does not.
std::optional<std::string> refusal(const Hello& mine, const Hello& theirs) {
  if (theirs.to != mine.from && !theirs.to.none()) {
    return name_of(theirs) + " expects server " + zab::to_string(theirs.to) +
           " at this address: compare the server lines of both";
  }
  if (theirs.ensemble != mine.ensemble) {
    return name_of(theirs) +
           " has other server lines in its configuration than this one: make "
           "them the same on all servers";
  }
  if (zab::are_foreign(theirs.cluster, mine.cluster)) {
    return name_of(theirs) + " belongs to cluster " + to_string(theirs.cluster) +
           ", and this server to cluster " + to_string(mine.cluster) +
           ": one of them has another's data directory";
  }
  return std::nullopt;
}

std::string unexpected(const Hello& theirs) { return name_of(theirs) + " is not expected here"; }

}  // namespace

void encode(const Hello& hello, wire::Bytes& out) {
  wire::ByteWriter writer(out);
  writer.integer(Hello::magic);
  writer.integer(Hello::version);
  writer.integer(hello.from.value);
  writer.integer(hello.to.value);
  writer.integer(hello.ensemble);
  wire::archive::write(writer, hello.cluster);
}

wire::Result<Hello> decode_hello(std::string_view bytes) {
  wire::ByteReader in(bytes);
  const auto magic = in.integer<std::uint32_t>();
  const auto version = in.integer<std::uint16_t>();
  Hello hello;
  hello.from.value = in.integer<std::uint32_t>();
  hello.to.value = in.integer<std::uint32_t>();
  hello.ensemble = in.integer<std::uint64_t>();
  if (magic != Hello::magic) return broken("the other end is no Zabkeeper server");
  if (version != Hello::version) {
    return broken("the other server has version " + std::to_string(version) +
                  " of the peer protocol, not " + std::to_string(Hello::version));
  }
  hello.cluster = wire::archive::read<zab::ClusterId>(in);
  if (!in.complete()) return broken("the other server's greeting cannot be read");
  return hello;
}

std::uint64_t fingerprint(const std::vector<LinkedServer>& servers) {
  wire::Bytes bytes;
  wire::ByteWriter out(bytes);
  std::map<std::uint32_t, const LinkedServer*> by_id;
  for (const LinkedServer& line : servers) by_id[line.id] = &line;
  for (const auto& [id, line] : by_id) {
    out.integer(id);
    out.boolean(line->observer);
    out.integer(line->weight);
    out.integer(line->group);
  }
  return XXH3_64bits(bytes.data(), bytes.size());
}

awaitable<wire::Result<Hello>> greet_first(SocketPtr socket, Hello mine,
                                           std::chrono::milliseconds timeout) {
  const asio::steady_timer deadline = deadline_of(socket, timeout);
  const error_code error = co_await send(*socket, mine);
  if (error) {
    co_return refused("the greeting could not be sent: " + error.message());
  }
  const auto theirs = co_await receive(*socket);
  if (!theirs) co_return theirs.error();
  if (auto why = refusal(mine, *theirs)) co_return refused(*std::move(why));
  if (theirs->from != mine.to) co_return refused(unexpected(*theirs));
  co_return *theirs;
}

awaitable<wire::Result<Hello>> greet_second(SocketPtr socket, Hello mine,
                                            std::function<bool(zab::ServerId)> is_expected,
                                            std::chrono::milliseconds timeout) {
  const asio::steady_timer deadline = deadline_of(socket, timeout);
  const auto theirs = co_await receive(*socket);
  if (!theirs) co_return theirs.error();
  if (auto why = refusal(mine, *theirs)) co_return refused(*std::move(why));
  if (!is_expected(theirs->from)) co_return refused(unexpected(*theirs));
  mine.to = theirs->from;
  const error_code error = co_await send(*socket, mine);
  if (error) {
    co_return refused("the greeting could not be sent: " + error.message());
  }
  co_return *theirs;
}

}  // namespace server
