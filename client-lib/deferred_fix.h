#pragma once

#include <boost/asio/awaitable.hpp>

// In Boost 1.81 nobody can `co_await` an operation of `deferred` whose signature is
// void(std::exception_ptr, T): Asio's class for that does not compile. This one is preferred to it.
#if BOOST_VERSION == 108100

#include <exception>
#include <utility>

namespace boost::asio::detail {

template <typename T, typename Executor>
class awaitable_async_op_handler<void(std::exception_ptr, T), Executor>
    : public awaitable_thread<Executor> {
 public:
  struct result_type {
    std::exception_ptr* exception;
    T* value;
  };

  awaitable_async_op_handler(awaitable_thread<Executor>* caller, result_type& result)
      : awaitable_thread<Executor>(std::move(*caller)), result_(result) {}

  void operator()(std::exception_ptr exception, T value) {
    result_ = {&exception, &value};
    this->entry_point()->top_of_stack_->attach_thread(this);
    this->entry_point()->top_of_stack_->clear_cancellation_slot();
    this->pump();
  }

  static T resume(result_type& result) {
    if (*result.exception) std::rethrow_exception(std::exchange(*result.exception, nullptr));
    return std::move(*result.value);
  }

 private:
  result_type& result_;
};

}  // namespace boost::asio::detail

#endif
