#include "tools/shell/begun_request.h"

#include <chrono>
#include <utility>

#include "tools/shell/interrupted.h"

namespace shell {
namespace {

class FutureCompletion final : public zabkeeper::Completion {
 public:
  [[nodiscard]] std::future<zabkeeper::AnyReply> reply() { return promise_.get_future(); }
  void complete(zabkeeper::AnyReply&& reply) override {
    promise_.set_value(std::move(reply));
    delete this;
  }
  void destroy() override { delete this; }

 private:
  std::promise<zabkeeper::AnyReply> promise_;
};

}  // namespace

BegunRequest::BegunRequest(const zabkeeper::Client& client, wire::Request request) {
  zabkeeper::Core& core = *client.core();
  auto* completion = new FutureCompletion;
  reply_ = completion->reply();
  core.begin(core.next_id(), {std::move(request), {}, {}, core.options().call_timeout},
             zabkeeper::AnyCompletion(completion), zabkeeper::Core::Face::asynchronous);
}

zabkeeper::AnyReply BegunRequest::take() try {
  while (reply_.wait_for(std::chrono::milliseconds(100)) == std::future_status::timeout) {
    if (interrupted) throw Interrupted{};
  }
  return reply_.get();
} catch (const std::future_error&) {
  return {wire::Error{wire::ErrorCode::system_error, "the client has ended"}, {}};
}

}  // namespace shell
