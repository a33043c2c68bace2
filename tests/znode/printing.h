#pragma once

#include <doctest/doctest.h>

#include "wire/result.h"
#include "znode/operations.h"

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
