#pragma once

#include <stdexcept>
#include <string>
#include <utility>

#include <boost/system/error_code.hpp>
#include <boost/system/result.hpp>

#include "wire/error.h"

namespace zabkeeper {

using wire::ErrorCode;

// Why a call failed: `code` is for a switch, `message` is for people, `path` is the request's
// (empty if it has none). As the first argument of a completion handler, it may also say that
// nothing failed: then it is false, and its code is ErrorCode{}.
struct Error : wire::Error {
  Error() : wire::Error{ErrorCode{}, {}} {}
  // Implicit, because an error of the protocol is an error of the client.
  Error(wire::Error error, std::string of = {})
      : wire::Error(std::move(error)), path(std::move(of)) {}

  explicit operator bool() const { return code != ErrorCode{}; }
  // For handlers that know only these. `cancelled` becomes boost::asio::error::operation_aborted,
  // other codes have a category of their own. The message and the path are lost.
  operator boost::system::error_code() const;
  bool operator==(const Error&) const = default;

  std::string path;
};

// An error as an exception: of use_awaitable, use_future, and Result::value().
class Failure : public std::runtime_error {
 public:
  explicit Failure(Error error);

  [[nodiscard]] const Error& error() const { return error_; }
  [[nodiscard]] ErrorCode code() const { return error_.code; }
  [[nodiscard]] const std::string& path() const { return error_.path; }

 private:
  Error error_;
};

// A reply or an error. `value()` throws a Failure if it is an error.
template <typename T>
using Result = boost::system::result<T, Error>;

[[noreturn]] void throw_exception_from_error(const Error& error, const boost::source_location& at);

}  // namespace zabkeeper
