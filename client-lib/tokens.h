#pragma once

#include <exception>
#include <future>
#include <memory>
#include <type_traits>
#include <utility>

#include <boost/asio/associator.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>

#include "client-lib/deferred_fix.h"
#include "client-lib/error.h"

// The completion signature of every call is void(Error, Reply). A handler, and what as_tuple makes,
// gets the error as a value. The tokens whose result has no place for an error throw a Failure:
// use_awaitable, use_future, and deferred, whose operation has the signature
// void(std::exception_ptr, Reply). So no error is ignored by mistake.
namespace zabkeeper {

// What an operation of `deferred`, or another that passes std::exception_ptr on, has failed with.
// Not an Error if the exception is not a Failure: then it is thrown.
[[nodiscard]] inline Error error_of(const std::exception_ptr& exception) {
  if (!exception) return {};
  try {
    std::rethrow_exception(exception);
  } catch (const Failure& failure) {
    return failure.error();
  }
}

namespace detail {

// Turns the error into an exception for a handler of the signature void(std::exception_ptr, Reply).
template <typename Handler>
struct ThrowingHandler {
  Handler handler;

  template <typename Reply>
  void operator()(const Error& error, Reply reply) {
    std::exception_ptr exception = error ? std::make_exception_ptr(Failure(error)) : nullptr;
    std::move(handler)(std::move(exception), std::move(reply));
  }
};

template <typename Initiation>
struct ThrowingInitiation {
  Initiation initiation;

  template <typename Handler, typename... Arguments>
  void operator()(Handler&& handler, Arguments&&... arguments) && {
    std::move(initiation)(ThrowingHandler<std::decay_t<Handler>>{std::forward<Handler>(handler)},
                          std::forward<Arguments>(arguments)...);
  }
  template <typename Handler, typename... Arguments>
  void operator()(Handler&& handler, Arguments&&... arguments) const& {
    ThrowingInitiation copy(*this);
    std::move(copy)(std::forward<Handler>(handler), std::forward<Arguments>(arguments)...);
  }
};

// The result of `Token` for a signature that throws.
template <typename Token, typename Reply>
struct ThrowingResult {
  template <typename Initiation, typename... Arguments>
  static auto initiate(Initiation initiation, Token token, Arguments... arguments) {
    return boost::asio::async_initiate<Token, void(std::exception_ptr, Reply)>(
        ThrowingInitiation<Initiation>{std::move(initiation)}, token, std::move(arguments)...);
  }
};

}  // namespace detail
}  // namespace zabkeeper

namespace boost::asio {

template <typename Executor, typename Reply>
struct async_result<use_awaitable_t<Executor>, void(zabkeeper::Error, Reply)>
    : zabkeeper::detail::ThrowingResult<use_awaitable_t<Executor>, Reply> {};

// Asio's own handler for a future would be posted to threads of the system.
template <typename Allocator, typename Reply>
struct async_result<use_future_t<Allocator>, void(zabkeeper::Error, Reply)> {
  template <typename Initiation, typename... Arguments>
  static std::future<Reply> initiate(Initiation initiation, use_future_t<Allocator> token,
                                     Arguments... arguments) {
    std::promise<Reply> promise(std::allocator_arg, token.get_allocator());
    std::future<Reply> future = promise.get_future();
    std::move(initiation)(
        [promise = std::move(promise)](const zabkeeper::Error& error, Reply reply) mutable {
          if (error) {
            promise.set_exception(std::make_exception_ptr(zabkeeper::Failure(error)));
          } else {
            promise.set_value(std::move(reply));
          }
        },
        std::move(arguments)...);
    return future;
  }
};

template <typename Reply>
struct async_result<deferred_t, void(zabkeeper::Error, Reply)>
    : zabkeeper::detail::ThrowingResult<deferred_t, Reply> {};

// The executor, allocator and cancellation slot of the inner handler.
template <template <typename, typename> class Associator, typename Handler, typename Candidate>
struct associator<Associator, zabkeeper::detail::ThrowingHandler<Handler>, Candidate>
    : Associator<Handler, Candidate> {
  static auto get(const zabkeeper::detail::ThrowingHandler<Handler>& throwing) noexcept {
    return Associator<Handler, Candidate>::get(throwing.handler);
  }
  static auto get(const zabkeeper::detail::ThrowingHandler<Handler>& throwing,
                  const Candidate& candidate) noexcept {
    return Associator<Handler, Candidate>::get(throwing.handler, candidate);
  }
};

}  // namespace boost::asio
