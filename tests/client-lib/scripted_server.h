#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket.hpp>

#include "client-lib/options.h"
#include "wire/json.h"

// A server on loopback that does what a test says.
namespace zabkeeper {

inline const std::string a_stat =
    R"({"czxid":"0000010000000001","mzxid":"0000010000000001","pzxid":"0000010000000001",)"
    R"("ctime":0,"mtime":0,"version":0,"cversion":0,"aversion":0,)"
    R"("ephemeralOwner":"0000000000000000","dataLength":1,"numChildren":0})";

// The server's end of one connection.
class ServerSide {
 public:
  explicit ServerSide(boost::asio::ip::tcp::socket socket) : stream_(std::move(socket)) {}

  // Returns false if the client has closed the connection before the handshake was done.
  bool accept() {
    boost::beast::error_code error;
    stream_.accept(error);
    return !error;
  }
  // Empty once the client has closed the connection.
  std::string read() {
    boost::beast::flat_buffer buffer;
    boost::beast::error_code error;
    stream_.read(buffer, error);
    return error ? std::string() : boost::beast::buffers_to_string(buffer.data());
  }
  void send(const std::string& text) { stream_.write(boost::asio::buffer(text)); }
  // Ends the connection with a status of RFC 6455, without waiting for the client.
  void close(unsigned status, const std::string& reason) {
    boost::beast::error_code ignored;
    boost::beast::websocket::close_reason why(static_cast<std::uint16_t>(status));
    why.reason = reason;
    stream_.close(why, ignored);
  }
  // A longer frame makes `read` close the connection with status 1009.
  void limit_frames(std::size_t bytes) { stream_.read_message_max(bytes); }
  // `server` is the url of another server of the ensemble.
  void accept_session(const std::string& resumed, int timeout_ms = 4'000,
                      const std::string& server = {}) {
    send(R"({"op":"connected","session":"00000100000000aa","password":"9f","timeoutMs":)" +
         std::to_string(timeout_ms) +
         R"(,"server":1,"role":"leader","zxid":"0000010000000001","resumed":)" + resumed +
         R"(,"servers":[)" + (server.empty() ? "" : '"' + server + '"') + "]}");
  }
  // Ignores all requests up to a close, and replies to that.
  void close_session() {
    for (;;) {
      const std::string text = read();
      if (text.empty()) return;
      const std::size_t close = text.find(R"(,"op":"close"})");
      if (close == std::string::npos) continue;
      const std::size_t id = text.rfind(':', close - 1) + 1;
      return send(R"({"op":"closed","id":)" + text.substr(id, close - id) +
                  R"(,"zxid":"0000010000000009"})");
    }
  }

 private:
  boost::beast::websocket::stream<boost::asio::ip::tcp::socket> stream_;
};

// Runs one script after another, each on the next connection that a client completes.
class ScriptedServer {
 public:
  using Script = std::function<void(ServerSide&)>;

  explicit ScriptedServer(std::vector<Script> scripts)
      : acceptor_(io_, {boost::asio::ip::make_address("127.0.0.1"), 0}) {
    thread_ = std::thread([this, scripts = std::move(scripts)] {
      for (const Script& script : scripts) {
        std::optional<ServerSide> peer;
        do {
          peer.emplace(acceptor_.accept());
        } while (!peer->accept());
        script(*peer);
      }
    });
  }
  ~ScriptedServer() { thread_.join(); }

  [[nodiscard]] Endpoint endpoint() const {
    return {{"127.0.0.1", acceptor_.local_endpoint().port()}};
  }

 private:
  boost::asio::io_context io_;
  boost::asio::ip::tcp::acceptor acceptor_;
  std::thread thread_;
};

// With times that a slow machine does not exceed: a script is run for one connection only.
inline Options options_for(std::vector<Endpoint> servers) {
  Options options;
  options.servers = std::move(servers);
  options.attempt_timeout = std::chrono::seconds(20);
  options.offline_timeout = std::chrono::seconds(30);
  return options;
}

// The reply to a request; nothing: the server does not answer.
using Answer =
    std::function<std::optional<wire::Result<wire::ReplyBody>>(const wire::ClientRequest&)>;

// Answers the requests of a frame: pings and a close by itself. Returns whether the session was
// closed.
inline bool answer_frame(ServerSide& peer, const std::string& frame, const Answer& answer) {
  for (const wire::ParsedRequest& request : wire::json::parse_requests(frame).requests) {
    const bool closes = std::holds_alternative<wire::CloseRequest>(request->request);
    std::optional<wire::Result<wire::ReplyBody>> body;
    if (closes) {
      body = wire::ReplyBody(wire::ClosedReply{});
    } else if (std::holds_alternative<wire::PingRequest>(request->request)) {
      body = wire::ReplyBody(wire::PongReply{});
    } else {
      body = answer(*request);
    }
    if (!body) continue;
    std::string text;
    wire::json::write(wire::Reply{request->id, {}, {}, std::move(*body)}, text);
    peer.send(text);
    if (closes) return true;
  }
  return false;
}

// Answers requests until the connection ends. Returns whether the session was closed.
inline bool answer_all(ServerSide& peer, const Answer& answer) {
  for (;;) {
    const std::string frame = peer.read();
    if (frame.empty()) return false;
    if (answer_frame(peer, frame, answer)) return true;
  }
}

// A script that accepts a new session and answers its requests.
inline ScriptedServer::Script serve(Answer answer) {
  return [answer = std::move(answer)](ServerSide& peer) {
    peer.read();
    peer.accept_session("false");
    answer_all(peer, answer);
  };
}

// Has a tree of one node: /a, with the data "v1". Writes are done, and change nothing.
inline std::optional<wire::Result<wire::ReplyBody>> answer_simply(
    const wire::ClientRequest& request) {
  if (const auto* get = std::get_if<wire::GetRequest>(&request.request)) {
    if (get->path != "/a") {
      return wire::Error{wire::ErrorCode::no_node, get->path + " does not exist"};
    }
    return wire::ReplyBody(wire::GetReply{"v1", {}});
  }
  if (const auto* create = std::get_if<wire::CreateRequest>(&request.request)) {
    return wire::ReplyBody(wire::CreateReply{create->path, {}});
  }
  if (std::holds_alternative<wire::SetRequest>(request.request)) {
    return wire::ReplyBody(wire::SetReply{});
  }
  if (std::holds_alternative<wire::ExistsRequest>(request.request)) {
    return wire::ReplyBody(wire::ExistsReply{});
  }
  return wire::ReplyBody(wire::EmptyReply{});
}

}  // namespace zabkeeper
