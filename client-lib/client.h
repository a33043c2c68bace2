#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "client-lib/conversation.h"
#include "client-lib/hosts.h"
#include "client-lib/session_event.h"
#include "wire/replies.h"
#include "wire/requests.h"
#include "wire/result.h"

// A client of Zabkeeper: one session, kept alive through any server of the ensemble.
//
//   zabkeeper::Client client({.servers = zabkeeper::servers("ws://127.0.0.1:2180")});
//   const auto created = client.create("/app", "v1");
//   if (created.has_error()) std::cerr << created.error().message << '\n';
//
// Each call has two variants. One waits, and returns the reply or an error. The other (`async`)
// returns at once, and later calls a function on the client's own thread. Requests take effect and
// complete in the order in which they are made. A callback must not throw: an exception ends the
// client, whose requests then get SystemError.
namespace zabkeeper {

template <typename T>
using Result = wire::Result<T>;

// Parses a list of servers; see parse_endpoints. Throws std::invalid_argument.
[[nodiscard]] std::vector<Endpoint> servers(std::string_view text);

struct Options {
  std::vector<Endpoint> servers = {Endpoint{{"127.0.0.1", 2180}}};
  SessionOptions session = {};
  // For one attempt with one server, until it has accepted the session.
  std::chrono::milliseconds attempt_timeout{1'500};
  // How long requests wait while no server accepts the session. They do not wait if every server
  // declines the WebSocket handshake with an HTTP status of 4xx.
  std::chrono::milliseconds offline_timeout{10'000};
  // How long a waiting call waits for its reply; 0: no limit. A request that is not sent by
  // then is withdrawn. A request that was sent may still be carried out later.
  std::chrono::milliseconds call_timeout{0};
  std::function<void(const SessionEvent&)> on_session = {};
};

struct CreateOptions {
  bool ephemeral = false;
  bool sequential = false;
  bool container = false;
  bool parents = false;
  std::optional<std::int64_t> ttl_ms = {};
  std::optional<wire::Acl> acl = {};
  // With `sequential`: report the node's turn. If the reply says that the turn has not come yet,
  // one event follows: `turn`, `deleted` or `resync`.
  std::optional<wire::TurnOptions> turn = {};
};

struct WatchOptions {
  wire::WatchScope scope = wire::WatchScope::node;
  bool once = false;
  bool with_data = false;
  std::optional<wire::Zxid> from = {};
  wire::TurnOptions turn = {};  // with WatchScope::turn
};

// The type of the reply to each type of request.
template <typename Request>
using ReplyOf = typename Request::Reply;

class Client {
 public:
  using Done = std::function<void(Result<wire::ReplyBody>, wire::Zxid)>;
  // An error is the watch's last event: the reason why the watch ended.
  using OnEvent = std::function<void(const Result<wire::WatchEvent>&)>;

  explicit Client(Options options = {});
  // Closes the session if a server can be reached within a second; else the session expires. Must
  // not be called by a callback.
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Sends any request. `on_event` is for requests that set a watch.
  void send(wire::Request request, Done done, OnEvent on_event = {},
            wire::Encoding encoding = wire::Encoding::text_if_utf8);
  struct AnyReply {
    Result<wire::ReplyBody> result;
    wire::Zxid zxid;  // the last txn that the server had applied
  };
  // Sends any request and waits. Must not be called by a callback.
  [[nodiscard]] AnyReply ask(wire::Request request, OnEvent on_event = {},
                             std::vector<wire::Condition> conditions = {});

  template <typename Request>
  void async(Request request, std::function<void(Result<ReplyOf<Request>>)> done,
             const OnEvent& on_event = {}) {
    send(
        std::move(request),
        [done = std::move(done)](Result<wire::ReplyBody> body, wire::Zxid) {
          done(as<ReplyOf<Request>>(std::move(body)));
        },
        on_event);
  }
  template <typename Request>
  [[nodiscard]] Result<ReplyOf<Request>> call(Request request, const OnEvent& on_event = {}) {
    return as<ReplyOf<Request>>(ask(std::move(request), on_event).result);
  }
  // A write that happens only if all conditions hold; else ConditionFailed.
  template <typename Request>
  [[nodiscard]] Result<ReplyOf<Request>> call_if(std::vector<wire::Condition> conditions,
                                                 Request request) {
    return as<ReplyOf<Request>>(ask(std::move(request), {}, std::move(conditions)).result);
  }

  // `on_event` is for a create that asks for a turn.
  Result<wire::CreateReply> create(std::string path, wire::Bytes data, CreateOptions options = {},
                                   const OnEvent& on_event = {});
  Result<wire::GetReply> get(std::string path, wire::ReadOptions read = {});
  Result<wire::ExistsReply> exists(std::string path, wire::ReadOptions read = {});
  Result<wire::SetReply> set(std::string path, wire::Bytes data,
                             std::int32_t version = wire::any_version);
  Result<wire::EmptyReply> remove(std::string path, std::int32_t version = wire::any_version);
  Result<wire::EmptyReply> remove_recursively(std::string path);
  Result<wire::ChildrenReply> children(std::string path, wire::ReadOptions read = {});
  Result<wire::CountReply> count(std::string path);
  Result<wire::MultiReply> multi(std::vector<wire::MultiOp> ops);
  // Later reads see every txn that was committed before this call.
  Result<wire::EmptyReply> sync(std::string path = "/");
  Result<wire::WatchReply> watch(std::string path, WatchOptions options, const OnEvent& on_event);
  Result<wire::EmptyReply> unwatch(const wire::RequestId& watch);
  // Ends the session, and deletes its ephemeral nodes at once.
  Result<wire::ClosedReply> close();

 private:
  struct Impl;

  template <typename Reply>
  static Result<Reply> as(Result<wire::ReplyBody> body) {
    if (body.has_error()) return body.error();
    if (auto* reply = std::get_if<Reply>(&*body)) return std::move(*reply);
    if (std::holds_alternative<wire::TruncatedReply>(*body)) {
      if constexpr (std::is_same_v<Reply, wire::EmptyReply>) return wire::EmptyReply{};
      return wire::Error{wire::ErrorCode::too_large,
                         "the write is done, but its reply was lost and too large to be kept: "
                         "read what it wrote"};
    }
    return wire::Error{wire::ErrorCode::marshalling_error, "the reply does not fit the request"};
  }

  std::unique_ptr<Impl> impl_;
};

}  // namespace zabkeeper
