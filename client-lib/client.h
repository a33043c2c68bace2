#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>

#include "client-lib/async_calls.h"
#include "client-lib/completion.h"
#include "client-lib/error.h"
#include "client-lib/options.h"
#include "wire/replies.h"
#include "wire/requests.h"

// A client of Zabkeeper: one session, kept alive through any server of the ensemble.
//
//   zabkeeper::Client client({.servers = zabkeeper::servers("ws://127.0.0.1:2180")});
//   const auto created = client.create("/app", "v1");
//   if (created.has_error()) std::cerr << created.error().message << '\n';
//
// Each call has two forms. One blocks its thread, and returns the reply or an error. The other
// (`async_...`) takes a completion token of Asio. Requests take effect in the order in which they
// are begun. docs/client.md has the whole story.
namespace zabkeeper {

// Parses a list of servers; see parse_endpoints. Throws std::invalid_argument.
[[nodiscard]] std::vector<Endpoint> servers(std::string_view text);

// The calls of a client, with a deadline for each, or with conditions: see `within` and `only_if`.
class Calls : public AsyncCalls {
 public:
  // --- Blocking calls ---
  // Any thread may use them but those that run the client's executor, for which they would wait:
  // there they return BadArguments at once.

  using AnyReply = zabkeeper::AnyReply;
  // Any request. `on_event` is for requests that set a watch.
  [[nodiscard]] AnyReply ask(wire::Request request, OnEvent on_event = {},
                             std::vector<wire::Condition> conditions = {}) const;
  template <typename Request>
  [[nodiscard]] Result<ReplyOf<Request>> call(Request request, OnEvent on_event = {}) const {
    return call_if<Request>({}, std::move(request), std::move(on_event));
  }
  // A write that happens only if all conditions hold; else ConditionFailed.
  template <typename Request>
  [[nodiscard]] Result<ReplyOf<Request>> call_if(std::vector<wire::Condition> conditions,
                                                 Request request, OnEvent on_event = {}) const {
    std::string path;
    if constexpr (requires { request.path; }) path = request.path;
    AnyReply reply = ask(std::move(request), std::move(on_event), std::move(conditions));
    return reply_as<ReplyOf<Request>>(std::move(reply.result), std::move(path));
  }

  // `on_event` is for a create that asks for a turn.
  Result<wire::CreateReply> create(std::string path, wire::Bytes data, CreateOptions options = {},
                                   OnEvent on_event = {}) const;
  Result<wire::GetReply> get(std::string path, wire::ReadOptions read = {}) const;
  Result<wire::ExistsReply> exists(std::string path, wire::ReadOptions read = {}) const;
  Result<wire::SetReply> set(std::string path, wire::Bytes data,
                             std::int32_t version = wire::any_version) const;
  // Sets the node's data, and creates the node if it is missing.
  Result<wire::SetReply> put(std::string path, wire::Bytes data) const;
  Result<wire::EmptyReply> remove(std::string path, std::int32_t version = wire::any_version) const;
  Result<wire::EmptyReply> remove_recursively(std::string path) const;
  Result<wire::ChildrenReply> children(std::string path, wire::ReadOptions read = {}) const;
  Result<wire::CountReply> count(std::string path) const;
  Result<wire::MultiReply> multi(std::vector<wire::MultiOp> ops) const;
  // Later reads see every txn that was committed before this call.
  Result<wire::EmptyReply> sync(std::string path = "/") const;
  Result<wire::WatchReply> watch(std::string path, WatchOptions options, OnEvent on_event) const;
  // No event comes after its reply.
  Result<wire::EmptyReply> unwatch(const wire::RequestId& watch) const;
  // Ends the session, and deletes its ephemeral nodes at once.
  Result<wire::ClosedReply> close() const;

  // The same calls, with a deadline: so long after each is begun. At its deadline a call ends as if
  // it was cancelled. Its error is NotReady if nothing was sent, else OperationTimeout. The result
  // must not be used after the client is destroyed.
  [[nodiscard]] Calls within(std::chrono::milliseconds timeout) const {
    return {core_, timeout, conditions_};
  }
  // The same calls, for writes that happen only if all conditions hold; else ConditionFailed.
  // Hold::guard is such a condition. As for `within`, the client must outlive the result.
  [[nodiscard]] Calls only_if(std::vector<wire::Condition> conditions) const {
    return {core_, timeout_, std::move(conditions)};
  }

 private:
  friend class Client;

  Calls(std::shared_ptr<Core> core, std::chrono::milliseconds timeout,
        std::vector<wire::Condition> conditions = {})
      : AsyncCalls(std::move(core), timeout, std::move(conditions)) {}
};

// The thread that a client has if its user gives it no executor.
class OwnThread {
 protected:
  struct State;

  explicit OwnThread(std::shared_ptr<State> state) : state_(std::move(state)) {}

  std::shared_ptr<State> state_;  // null: there is none
};

// Any thread may use a client, except for its destructor, after which nobody may.
class Client : private OwnThread, public Calls {
 public:
  // Runs on a thread of its own. An exception that a handler or a callback throws there ends the
  // session and all calls, with SystemError.
  explicit Client(Options options = {});
  // Runs on a strand of `executor`, whose context must outlive the client.
  explicit Client(const boost::asio::any_io_executor& executor, Options options = {});
  // Closes the session if a server can be reached within a second; else the session expires. A
  // client with a thread of its own waits for that, unless it is destroyed by that thread.
  // Otherwise it goes on in the executor. Callbacks for events are not called any more.
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Until then the session certainly exists; time_point::max() if no server has promised anything.
  // It moves on with every heartbeat. When it has passed, the client ends the session: the state is
  // then `expired`, before the servers can end it.
  [[nodiscard]] std::chrono::steady_clock::time_point deadline() const {
    return core_->safe_until();
  }

 private:
  Client(std::shared_ptr<State> state, Options options);
};

}  // namespace zabkeeper
