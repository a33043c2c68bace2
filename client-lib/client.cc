#include "client-lib/client.h"

#include <exception>
#include <future>
#include <stdexcept>
#include <thread>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include "client-lib/block.h"
#include "client-lib/core.h"

namespace zabkeeper {

namespace asio = boost::asio;
using std::chrono::milliseconds;

namespace {

// The executor of a client that does not run cannot tell that a deadline has passed.
constexpr std::chrono::seconds grace{2};

// Passes the reply to a thread that waits for it.
class BlockingCompletion final : public Completion {
 public:
  [[nodiscard]] std::future<AnyReply> reply() { return promise_.get_future(); }
  void complete(AnyReply&& reply) override {
    promise_.set_value(std::move(reply));
    delete this;
  }
  void destroy() override { delete this; }

 private:
  std::promise<AnyReply> promise_;
};

AnyReply failed(ErrorCode code, std::string message) {
  return {wire::Error{code, std::move(message)}, {}};
}

}  // namespace

std::vector<Endpoint> servers(std::string_view text) {
  auto endpoints = parse_endpoints(text);
  if (endpoints.has_error()) throw std::invalid_argument(endpoints.error().message);
  return std::move(*endpoints);
}

// --- Blocking calls ---

AnyReply Calls::ask(wire::Request request, OnEvent on_event,
                    std::vector<wire::Condition> conditions) const try {
  if (core_->runs_here()) return {would_wait_for_itself(), {}};
  if (conditions.empty()) conditions = conditions_;
  auto* completion = new BlockingCompletion;
  std::future<AnyReply> reply = completion->reply();
  const milliseconds timeout =
      timeout_ > milliseconds{0} ? timeout_ : core_->options().call_timeout;
  core_->begin(core_->next_id(),
               {std::move(request), std::move(on_event), std::move(conditions), timeout},
               AnyCompletion(completion), Core::Face::blocking);
  if (timeout > milliseconds{0} && reply.wait_for(timeout + grace) == std::future_status::timeout) {
    return failed(ErrorCode::operation_timeout, "the client's executor does not run");
  }
  return reply.get();
} catch (const std::future_error&) {
  return failed(ErrorCode::system_error, "the client's executor has ended");
}

Result<wire::CreateReply> Calls::create(std::string path, wire::Bytes data, CreateOptions options,
                                        OnEvent on_event) const {
  return call(create_request(std::move(path), std::move(data), std::move(options)),
              std::move(on_event));
}

Result<wire::GetReply> Calls::get(std::string path, wire::ReadOptions read) const {
  return call(wire::GetRequest{std::move(path), read});
}

Result<wire::ExistsReply> Calls::exists(std::string path, wire::ReadOptions read) const {
  return call(wire::ExistsRequest{std::move(path), read});
}

Result<wire::SetReply> Calls::set(std::string path, wire::Bytes data, std::int32_t version) const {
  return call(wire::SetRequest{std::move(path), std::move(data), version, false});
}

Result<wire::SetReply> Calls::put(std::string path, wire::Bytes data) const {
  return call(wire::SetRequest{std::move(path), std::move(data), wire::any_version, true});
}

Result<wire::EmptyReply> Calls::remove(std::string path, std::int32_t version) const {
  return call(wire::DeleteRequest{std::move(path), version, false});
}

Result<wire::EmptyReply> Calls::remove_recursively(std::string path) const {
  return call(wire::DeleteRequest{std::move(path), wire::any_version, true});
}

Result<wire::ChildrenReply> Calls::children(std::string path, wire::ReadOptions read) const {
  return call(wire::ChildrenRequest{std::move(path), false, false, {}, {}, read});
}

Result<wire::CountReply> Calls::count(std::string path) const {
  return call(wire::CountRequest{std::move(path), {}});
}

Result<wire::MultiReply> Calls::multi(std::vector<wire::MultiOp> ops) const {
  return call(wire::MultiRequest{std::move(ops)});
}

Result<wire::EmptyReply> Calls::sync(std::string path) const {
  return call(wire::SyncRequest{std::move(path)});
}

Result<wire::WatchReply> Calls::watch(std::string path, WatchOptions options,
                                      OnEvent on_event) const {
  return call(watch_request(std::move(path), std::move(options)), std::move(on_event));
}

Result<wire::EmptyReply> Calls::unwatch(const wire::RequestId& watch) const {
  return call(wire::UnwatchRequest{watch});
}

Result<wire::ClosedReply> Calls::close() const { return call(wire::CloseRequest{}); }

// --- The client ---

struct OwnThread::State {
  asio::io_context io{1};
  asio::executor_work_guard<asio::io_context::executor_type> work{io.get_executor()};
  std::thread thread;

  // Until the io_context is stopped. An exception that nobody has handled ends the session.
  void run(const std::weak_ptr<Core>& core) {
    for (;;) {
      try {
        io.run();
        return;
      } catch (const std::exception& error) {
        if (const auto alive = core.lock()) alive->fail(error.what());
      }
    }
  }
};

Client::Client(const asio::any_io_executor& executor, Options options)
    : OwnThread(nullptr),
      Calls(std::make_shared<Core>(executor, std::move(options)), milliseconds{0}) {
  core_->start();
}

Client::Client(Options options) : Client(std::make_shared<State>(), std::move(options)) {}

Client::Client(std::shared_ptr<State> state, Options options)
    : OwnThread(state),
      Calls(std::make_shared<Core>(state->io.get_executor(), std::move(options)), milliseconds{0}) {
  core_->start();
  state->thread = std::thread([state, core = std::weak_ptr(core_)] { state->run(core); });
}

Client::~Client() {
  if (!state_) {
    core_->end({});
    return;
  }
  core_->end([state = state_] { state->io.stop(); });
  if (std::this_thread::get_id() == state_->thread.get_id()) {
    state_->thread.detach();
  } else {
    state_->thread.join();
  }
}

}  // namespace zabkeeper
