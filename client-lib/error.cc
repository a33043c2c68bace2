#include "client-lib/error.h"

#include <string>
#include <utility>

#include <boost/asio/error.hpp>
#include <boost/system/error_category.hpp>

namespace zabkeeper {
namespace {

class ErrorCategory final : public boost::system::error_category {
 public:
  [[nodiscard]] const char* name() const noexcept override { return "zabkeeper"; }
  [[nodiscard]] std::string message(int code) const override {
    return std::string(wire::name(static_cast<ErrorCode>(code)));
  }
};

}  // namespace

Error::operator boost::system::error_code() const {
  static const ErrorCategory category;
  if (code == ErrorCode{}) return {};
  if (code == ErrorCode::cancelled) return boost::asio::error::operation_aborted;
  return {static_cast<int>(code), category};
}

Failure::Failure(Error error)
    : std::runtime_error(std::string(wire::name(error.code)) + ": " + error.message),
      error_(std::move(error)) {}

void throw_exception_from_error(const Error& error, const boost::source_location&) {
  throw Failure(error);
}

}  // namespace zabkeeper
