#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>

#include <boost/asio/associated_allocator.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/bind_allocator.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/execution/blocking.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/require.hpp>

#include "wire/replies.h"
#include "wire/result.h"

namespace zabkeeper {

// The number of a call of a client. Rises from call to call.
struct CallId {
  std::uint64_t value = 0;

  auto operator<=>(const CallId&) const = default;
};

// The reply to any request, with the last txn that its server had applied.
struct AnyReply {
  wire::Result<wire::ReplyBody> result;
  wire::Zxid zxid;
};

// Where the reply to one call goes. `complete` or `destroy` is called once, and ends the object.
class Completion {
 public:
  virtual void complete(AnyReply&& reply) = 0;
  virtual void destroy() = 0;

 protected:
  ~Completion() = default;
};

struct DestroyCompletion {
  void operator()(Completion* completion) const { completion->destroy(); }
};
using AnyCompletion = std::unique_ptr<Completion, DestroyCompletion>;

inline void complete(AnyCompletion completion, AnyReply reply) {
  completion.release()->complete(std::move(reply));
}

// Holds an Asio completion handler in memory of its associated allocator, and keeps its associated
// executor busy. The handler is posted there, and never called within `complete`: it may call the
// client. `Deliver` calls the handler with the arguments that it makes of the reply.
template <typename Handler, typename Deliver, typename Executor>
class HandlerCompletion final : public Completion {
 public:
  static AnyCompletion make(Handler handler, Deliver deliver, const Executor& otherwise) {
    Allocator allocator(boost::asio::get_associated_allocator(handler));
    HandlerCompletion* memory = Traits::allocate(allocator, 1);
    try {
      Traits::construct(allocator, memory, std::move(handler), std::move(deliver), otherwise);
    } catch (...) {
      Traits::deallocate(allocator, memory, 1);
      throw;
    }
    return AnyCompletion(memory);
  }

  HandlerCompletion(Handler handler, Deliver deliver, const Executor& otherwise)
      : work_(boost::asio::prefer(boost::asio::get_associated_executor(handler, otherwise),
                                  boost::asio::execution::outstanding_work.tracked)),
        otherwise_(otherwise),
        handler_(std::move(handler)),
        deliver_(std::move(deliver)) {}

  void complete(AnyReply&& reply) override {
    const Work work = std::move(work_);
    const Allocator allocator(boost::asio::get_associated_allocator(handler_));
    auto call = [handler = std::move(handler_), deliver = std::move(deliver_),
                 reply = std::move(reply)]() mutable {
      deliver(std::move(handler), std::move(reply));
    };
    const Executor otherwise = otherwise_;
    end(allocator);  // Asio frees the memory of an operation before it calls the handler.
    auto bound = boost::asio::bind_allocator(allocator, std::move(call));
    if constexpr (boost::asio::can_require_v<Work, boost::asio::execution::blocking_t::never_t>) {
      boost::asio::post(work, std::move(bound));
    } else {  // of any_completion_handler
      boost::asio::post(otherwise, [work, bound = std::move(bound)]() mutable {
        boost::asio::dispatch(work, std::move(bound));
      });
    }
  }

  void destroy() override { end(Allocator(boost::asio::get_associated_allocator(handler_))); }

 private:
  using Allocator = typename std::allocator_traits<
      boost::asio::associated_allocator_t<Handler>>::template rebind_alloc<HandlerCompletion>;
  using Traits = std::allocator_traits<Allocator>;
  using Work = std::decay_t<decltype(boost::asio::prefer(
      std::declval<boost::asio::associated_executor_t<Handler, Executor>>(),
      boost::asio::execution::outstanding_work.tracked))>;

  void end(Allocator allocator) {
    Traits::destroy(allocator, this);
    Traits::deallocate(allocator, this, 1);
  }

  Work work_;
  Executor otherwise_;
  Handler handler_;
  Deliver deliver_;
};

}  // namespace zabkeeper
