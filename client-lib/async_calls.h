#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/async_result.hpp>

#include "client-lib/completion.h"
#include "client-lib/core.h"
#include "client-lib/error.h"
#include "client-lib/options.h"
#include "client-lib/requests.h"
#include "client-lib/tokens.h"
#include "wire/replies.h"
#include "wire/requests.h"

namespace zabkeeper {

// The reply to a request of the type that has such replies. `path` is for the error.
template <typename Reply>
Result<Reply> reply_as(wire::Result<wire::ReplyBody>&& body, std::string path) {
  if (body.has_error()) return Error{body.error(), std::move(path)};
  if (auto* reply = std::get_if<Reply>(&*body)) return std::move(*reply);
  if (std::holds_alternative<wire::TruncatedReply>(*body)) {
    if constexpr (std::is_same_v<Reply, wire::EmptyReply>) return wire::EmptyReply{};
    return Error{{ErrorCode::too_large,
                  "the write is done, but its reply was lost and too large to be kept: "
                  "read what it wrote"},
                 std::move(path)};
  }
  return Error{{ErrorCode::marshalling_error, "the reply does not fit the request"},
               std::move(path)};
}

// The asynchronous calls of a client: initiating functions in the sense of Asio. Each takes a
// completion token, whose completion signature is void(Error, Reply). tokens.h says what the tokens
// make of an error.
//
// - Any thread may call them. They return at once, and their handler is never called within them.
// - The handler runs on its associated executor; without one, on the client's. Handlers there, and
//   callbacks for events, run one after another in the order in which the servers' messages came.
// - Cancellation: a request that was not sent is taken back. Otherwise the call ends at once with
//   `cancelled`, and the client goes on with the request: a write is finished; a node that is
//   ephemeral or sequential is deleted again. (With cancellation_type::total, a write that may have
//   been applied is not left.)
class AsyncCalls {
 public:
  using executor_type = boost::asio::any_io_executor;

  // The client's executor: a strand.
  [[nodiscard]] const executor_type& get_executor() const noexcept { return core_->executor(); }

  // For recipes.
  [[nodiscard]] const std::shared_ptr<Core>& core() const noexcept { return core_; }

  // Any request. `on_event` is for requests that set a watch.
  template <typename Request, typename Token>
  auto async_call(Request request, Token&& token) const {
    return initiate<Request>({std::move(request)}, std::forward<Token>(token));
  }
  template <typename Request, typename Token>
  auto async_call(Request request, OnEvent on_event, Token&& token) const {
    return initiate<Request>({std::move(request), std::move(on_event)}, std::forward<Token>(token));
  }
  // Any request of any type. The signature is void(AnyReply), so that an error is always a value.
  template <typename Token>
  auto async_ask(wire::Request request, Token&& token) const {
    Plan plan{std::move(request), {}, conditions_, timeout_};
    return boost::asio::async_initiate<Token, void(AnyReply)>(AnyInitiation{core_}, token,
                                                              std::move(plan));
  }
  // A write that happens only if all conditions hold; else ConditionFailed.
  template <typename Request, typename Token>
  auto async_call_if(std::vector<wire::Condition> conditions, Request request,
                     Token&& token) const {
    return initiate<Request>({std::move(request), {}, std::move(conditions)},
                             std::forward<Token>(token));
  }

  template <typename Token>
  auto async_create(std::string path, wire::Bytes data, Token&& token) const {
    return async_create(std::move(path), std::move(data), CreateOptions(),
                        std::forward<Token>(token));
  }
  template <typename Token>
  auto async_create(std::string path, wire::Bytes data, CreateOptions options,
                    Token&& token) const {
    return async_create(std::move(path), std::move(data), std::move(options), OnEvent(),
                        std::forward<Token>(token));
  }
  // `on_event` is for a create that asks for a turn.
  template <typename Token>
  auto async_create(std::string path, wire::Bytes data, CreateOptions options, OnEvent on_event,
                    Token&& token) const {
    return async_call(create_request(std::move(path), std::move(data), std::move(options)),
                      std::move(on_event), std::forward<Token>(token));
  }
  template <typename Token>
  auto async_get(std::string path, Token&& token) const {
    return async_get(std::move(path), wire::ReadOptions(), std::forward<Token>(token));
  }
  template <typename Token>
  auto async_get(std::string path, wire::ReadOptions read, Token&& token) const {
    return async_call(wire::GetRequest{std::move(path), read}, std::forward<Token>(token));
  }
  template <typename Token>
  auto async_exists(std::string path, Token&& token) const {
    return async_exists(std::move(path), wire::ReadOptions(), std::forward<Token>(token));
  }
  template <typename Token>
  auto async_exists(std::string path, wire::ReadOptions read, Token&& token) const {
    return async_call(wire::ExistsRequest{std::move(path), read}, std::forward<Token>(token));
  }
  template <typename Token>
  auto async_set(std::string path, wire::Bytes data, Token&& token) const {
    return async_set(std::move(path), std::move(data), wire::any_version,
                     std::forward<Token>(token));
  }
  template <typename Token>
  auto async_set(std::string path, wire::Bytes data, std::int32_t version, Token&& token) const {
    return async_call(wire::SetRequest{std::move(path), std::move(data), version, false},
                      std::forward<Token>(token));
  }
  // Sets the node's data, and creates the node if it is missing.
  template <typename Token>
  auto async_put(std::string path, wire::Bytes data, Token&& token) const {
    return async_call(wire::SetRequest{std::move(path), std::move(data), wire::any_version, true},
                      std::forward<Token>(token));
  }
  template <typename Token>
  auto async_remove(std::string path, Token&& token) const {
    return async_remove(std::move(path), wire::any_version, std::forward<Token>(token));
  }
  template <typename Token>
  auto async_remove(std::string path, std::int32_t version, Token&& token) const {
    return async_call(wire::DeleteRequest{std::move(path), version, false},
                      std::forward<Token>(token));
  }
  template <typename Token>
  auto async_remove_recursively(std::string path, Token&& token) const {
    return async_call(wire::DeleteRequest{std::move(path), wire::any_version, true},
                      std::forward<Token>(token));
  }
  template <typename Token>
  auto async_children(std::string path, Token&& token) const {
    return async_children(std::move(path), wire::ReadOptions(), std::forward<Token>(token));
  }
  template <typename Token>
  auto async_children(std::string path, wire::ReadOptions read, Token&& token) const {
    return async_call(wire::ChildrenRequest{std::move(path), false, false, {}, {}, read},
                      std::forward<Token>(token));
  }
  template <typename Token>
  auto async_count(std::string path, Token&& token) const {
    return async_call(wire::CountRequest{std::move(path), {}}, std::forward<Token>(token));
  }
  template <typename Token>
  auto async_multi(std::vector<wire::MultiOp> ops, Token&& token) const {
    return async_call(wire::MultiRequest{std::move(ops)}, std::forward<Token>(token));
  }
  // Later reads see every txn that was committed before this call.
  template <typename Token>
  auto async_sync(Token&& token) const {
    return async_call(wire::SyncRequest{"/"}, std::forward<Token>(token));
  }
  template <typename Token>
  auto async_watch(std::string path, WatchOptions options, OnEvent on_event, Token&& token) const {
    return async_call(watch_request(std::move(path), std::move(options)), std::move(on_event),
                      std::forward<Token>(token));
  }
  // No event comes after its reply.
  template <typename Token>
  auto async_unwatch(const wire::RequestId& watch, Token&& token) const {
    return async_call(wire::UnwatchRequest{watch}, std::forward<Token>(token));
  }
  // Ends the session, and deletes its ephemeral nodes at once.
  template <typename Token>
  auto async_close(Token&& token) const {
    return async_call(wire::CloseRequest{}, std::forward<Token>(token));
  }

 protected:
  AsyncCalls(std::shared_ptr<Core> core, std::chrono::milliseconds timeout,
             std::vector<wire::Condition> conditions = {})
      : core_(std::move(core)), timeout_(timeout), conditions_(std::move(conditions)) {}

  static wire::CreateRequest create_request(std::string path, wire::Bytes data,
                                            CreateOptions options) {
    return {std::move(path),    std::move(data),        options.ephemeral,
            options.sequential, options.container,      options.parents,
            options.ttl_ms,     std::move(options.acl), std::move(options.turn)};
  }
  static wire::WatchRequest watch_request(std::string path, WatchOptions options) {
    return {std::move(path),   options.scope, options.once,
            options.with_data, options.from,  std::move(options.turn)};
  }

  std::shared_ptr<Core> core_;
  std::chrono::milliseconds timeout_;        // 0: none
  std::vector<wire::Condition> conditions_;  // of requests that have none of their own

 private:
  // Begins a call. `deliver` makes the arguments of the handler of the reply.
  template <typename Handler, typename Deliver>
  static void begin(Core& core, Plan plan, Handler&& handler, Deliver deliver) {
    using Done = HandlerCompletion<std::decay_t<Handler>, Deliver, executor_type>;
    const CallId id = core.next_id();
    // Before the call begins: later, its handler may run at any time, and use the slot again.
    auto slot = boost::asio::get_associated_cancellation_slot(handler);
    if (slot.is_connected()) {
      slot.assign([weak = core.weak_from_this(), id](boost::asio::cancellation_type type) {
        if (const auto alive = weak.lock()) alive->cancel(id, type);
      });
    }
    core.begin(id, std::move(plan),
               Done::make(std::forward<Handler>(handler), std::move(deliver), core.executor()),
               Core::Face::asynchronous);
  }

  template <typename Reply>
  struct Initiation {
    using executor_type = AsyncCalls::executor_type;

    [[nodiscard]] const executor_type& get_executor() const noexcept { return core->executor(); }

    template <typename Handler>
    void operator()(Handler&& handler, Plan plan) const {
      auto deliver = [path = path_of(plan.request)](auto&& then, AnyReply&& any) {
        Result<Reply> reply = reply_as<Reply>(std::move(any.result), path);
        if (reply) {
          std::forward<decltype(then)>(then)(Error(), std::move(*reply));
        } else {
          std::forward<decltype(then)>(then)(reply.error(), Reply());
        }
      };
      begin(*core, std::move(plan), std::forward<Handler>(handler), std::move(deliver));
    }

    std::shared_ptr<Core> core;
  };

  struct AnyInitiation {
    using executor_type = AsyncCalls::executor_type;

    [[nodiscard]] const executor_type& get_executor() const noexcept { return core->executor(); }

    template <typename Handler>
    void operator()(Handler&& handler, Plan plan) const {
      begin(*core, std::move(plan), std::forward<Handler>(handler),
            [](auto&& then, AnyReply&& reply) {
              std::forward<decltype(then)>(then)(std::move(reply));
            });
    }

    std::shared_ptr<Core> core;
  };

  template <typename Request, typename Token>
  auto initiate(Plan plan, Token&& token) const {
    using Reply = ReplyOf<Request>;
    plan.timeout = timeout_;
    if (plan.conditions.empty()) plan.conditions = conditions_;
    return boost::asio::async_initiate<Token, void(Error, Reply)>(Initiation<Reply>{core_}, token,
                                                                  std::move(plan));
  }
};

}  // namespace zabkeeper
