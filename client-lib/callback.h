#pragma once

#include <concepts>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/post.hpp>

namespace zabkeeper {

// A function that the client calls again and again, on the function's associated executor. Without
// one (see boost::asio::bind_executor) it is called on the client's.
template <typename Argument>
class Callback {
 public:
  Callback() = default;
  template <typename Function>
  requires(!std::same_as<std::decay_t<Function>, Callback> &&
           std::invocable<Function&, const Argument&>)
      Callback(Function function)  // Implicit, as that of std::function.
      : executor_(boost::asio::get_associated_executor(function, boost::asio::any_io_executor())),
        function_(std::make_shared<std::function<void(const Argument&)>>(std::move(function))) {}

  explicit operator bool() const { return function_ && *function_; }

  // Does not call the function at once, but lets its executor do so. Calls by one executor keep
  // their order if that executor keeps it. The call is left out if `while_true` then returns false.
  template <typename Condition>
  void post(const boost::asio::any_io_executor& otherwise, Argument argument,
            Condition while_true) const {
    if (!*this) return;
    boost::asio::post(
        executor_ ? executor_ : otherwise,
        [function = function_, argument = std::move(argument), while_true = std::move(while_true)] {
          if (while_true()) (*function)(argument);
        });
  }

 private:
  boost::asio::any_io_executor executor_;
  std::shared_ptr<std::function<void(const Argument&)>> function_;
};

}  // namespace zabkeeper
