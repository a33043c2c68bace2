#pragma once

#include <boost/system/result.hpp>

#include "wire/ensure.h"
#include "wire/error.h"

namespace wire {

// A value, or why there is none. Taking the value of an error aborts.
template <typename T>
using Result = boost::system::result<T, Error>;

[[noreturn]] inline void throw_exception_from_error(const Error& error,
                                                    const boost::source_location& at) {
  ensure_failed("result has a value", error.message, at.file_name(), static_cast<int>(at.line()));
}

}  // namespace wire
