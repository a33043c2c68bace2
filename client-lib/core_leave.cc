#include <chrono>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <boost/asio/async_result.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "client-lib/core.h"
#include "client-lib/recipes/grant.h"
#include "client-lib/requests.h"

// The ways of a request whose caller does not wait for its reply any more.
namespace zabkeeper {

namespace asio = boost::asio;
using std::chrono::milliseconds;
using wire::ErrorCode;

void Core::cancel(CallId id, asio::cancellation_type type) {
  const auto strong = asio::cancellation_type::terminal | asio::cancellation_type::partial;
  const bool even_from_writes = (type & strong) != asio::cancellation_type::none;
  asio::post(strand_, [self = shared_from_this(), id, even_from_writes] {
    self->leave(id, {{ErrorCode::cancelled, "the call was cancelled: nothing was done"},
                     {ErrorCode::cancelled, "the call was cancelled after it was sent"},
                     even_from_writes});
  });
}

void Core::expire(CallId id) {
  leave(id, {{ErrorCode::not_ready,
              "the request could not be sent before its deadline: nothing was done"},
             {ErrorCode::operation_timeout, "no reply before the deadline"}});
}

void Core::leave(CallId id, const Leave& why) {
  if (auto waiting = line_.extract(id)) {
    release(id, waiting.mapped());
    return complete(std::move(waiting.mapped().completion), {why.not_sent, {}});
  }
  const auto found = tickets_.find(id);
  if (found == tickets_.end()) return;
  const Ticket ticket = found->second;
  Actions actions;
  if (conversation_.withdraw(ticket, actions)) {
    watches_.erase(ticket);
    finish({ticket, why.not_sent, {}});
    return transport_.carry_out(std::move(actions));
  }
  Call& call = sent_.at(ticket).call;
  if (!call.completion || (call.is_write && !why.even_from_writes)) return;
  wire::Error error = why.sent;
  if (call.undo == Undo::delete_node) {
    ++undoing_;
    error.message += "; its node will be deleted if it was created";
  } else if (call.is_write) {
    error.message += "; the write may still be carried out";
  }
  watches_.erase(ticket);
  deadlines_.remove(call.deadline, id);
  complete(std::move(call.completion), {std::move(error), {}});
}

void Core::undo(Ticket ticket, Undo undo, const wire::Result<wire::ReplyBody>& result) {
  if (undo == Undo::delete_node) {
    const auto* created = result ? std::get_if<wire::CreateReply>(&*result) : nullptr;
    if (created == nullptr) {
      --undoing_;
      return;
    }
    post([path = created->path, czxid = created->stat.czxid](Core& core) {
      asio::co_spawn(core.strand_, core.delete_node(path, czxid),
                     [self = core.shared_from_this()](const std::exception_ptr&) {
                       --self->undoing_;
                       self->pump();
                     });
    });
  } else if (undo == Undo::unwatch && result) {
    post([ticket](Core& core) {
      Call unwatch;
      unwatch.plan.request = wire::UnwatchRequest{id_of(ticket)};
      unwatch.face = Face::blocking;
      core.send(core.next_id(), std::move(unwatch));
    });
  }
}

// Until it is certain that the node is gone, or that the session is. Its requests do not wait in
// the line, because a close may wait there for this.
asio::awaitable<void> Core::delete_node(std::string path, wire::Zxid czxid) {
  // Not a later node of the same name.
  std::vector<wire::Condition> conditions{same_node(path, czxid)};
  for (;;) {
    const AnyReply reply =
        co_await asio::async_initiate<const asio::use_awaitable_t<>, void(AnyReply)>(
            [this, &path, &conditions](auto handler) {
              const auto deliver = [](auto&& then, AnyReply&& body) {
                std::forward<decltype(then)>(then)(std::move(body));
              };
              Call call;
              call.plan = {wire::DeleteRequest{path, wire::any_version, false}, {}, conditions};
              call.face = Face::blocking;
              call.completion =
                  HandlerCompletion<decltype(handler), decltype(deliver), Strand>::make(
                      std::move(handler), deliver, strand_);
              send(next_id(), std::move(call));
            },
            asio::use_awaitable);
    if (reply.result || stopped_) co_return;
    const ErrorCode code = reply.result.error().code;
    if (code == ErrorCode::unimplemented) {
      conditions.clear();  // The ensemble has an older level.
    } else if (code == ErrorCode::not_ready || code == ErrorCode::overloaded) {
      asio::steady_timer pause(strand_, milliseconds(100));
      co_await pause.async_wait(asio::use_awaitable);
    } else {
      co_return;
    }
  }
}

}  // namespace zabkeeper
