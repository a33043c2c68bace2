#pragma once

#include <utility>

#include <doctest/doctest.h>

#include "wire/result.h"
#include "znode/operations.h"

namespace znode {

// The reads that need a budget, with one that is never used up.
template <class Request>
auto read(const Request& request, const Caller& caller, const Tree& tree)
    -> decltype(read(request, caller, tree, std::declval<ReplyBudget&>())) {
  ReplyBudget unlimited;
  return read(request, caller, tree, unlimited);
}

}  // namespace znode

// How doctest prints a result in a failed check.
template <class T, class E>
struct doctest::StringMaker<boost::system::result<T, E>> {
  static String convert(const boost::system::result<T, E>& result) {
    if (result) return "a value";
    return ("refused: " + message(result.error())).c_str();
  }

 private:
  static std::string message(const wire::Error& error) { return error.message; }
  static std::string message(const znode::Refusal& refusal) { return refusal.error.message; }
};
