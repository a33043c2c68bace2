#pragma once

#include <exception>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace server {

// The completion token of this room's coroutines: `co_await` returns the error and the results of
// an operation, and throws nothing.
inline constexpr auto use_tuple = boost::asio::as_tuple(boost::asio::use_awaitable);

// The completion handler of a coroutine for whose end nobody waits. Its exception, such as that
// there is no memory, ends the event loop: a link that is read no more, or a server that is dialed
// no more, would stay so without a word.
inline void rethrow(const std::exception_ptr& error) {
  if (error) std::rethrow_exception(error);
}

}  // namespace server
