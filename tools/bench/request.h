#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace bench {

// The first message of every connection, unless it resumes a session.
[[nodiscard]] std::string connect_request(int timeout_ms = 40'000);

// The text of a request. It is built once; for each sending only the digits of its id and its path
// change.
class Request {
 public:
  static constexpr std::uint32_t first_id = 10'000'000;
  static constexpr std::uint32_t keys = 1000;

  static Request set(std::size_t data_bytes = 100);
  static Request get();
  static Request get_linearizable();
  static Request create(std::size_t data_bytes = 100);

  // The request with this id (of 8 digits) for the node number `key` modulo `keys`. The text is
  // valid until the next call.
  [[nodiscard]] std::string_view text(std::uint32_t id, std::uint32_t key);

 private:
  // `rest`: the fields after the path, with a comma before them.
  Request(const std::string& op, const std::string& rest);
  void put_digits(std::size_t at, std::size_t count, std::uint32_t number);

  std::string text_;
  std::size_t key_at_;
};

}  // namespace bench
