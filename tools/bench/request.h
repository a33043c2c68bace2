#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace bench {

// How every connection begins, unless it resumes a session.
inline std::string connect_request(int timeout_ms = 40'000) {
  return "{\"op\":\"connect\",\"batch\":true,\"timeoutMs\":" + std::to_string(timeout_ms) + '}';
}

// The text of a request, made once; each sending changes digits of its id and of its path.
class Request {
 public:
  static constexpr std::uint32_t first_id = 10'000'000;
  static constexpr std::uint32_t keys = 1000;

  // `rest`: the fields behind the path, with a comma before.
  Request(const std::string& op, const std::string& rest)
      : text_("{\"id\":10000000,\"op\":\"" + op + "\",\"path\":\"/bench/0000\"" + rest + '}'),
        key_at_(text_.find("/0000") + 1) {}

  static Request set(std::size_t data_bytes = 100) {
    return {"set", ",\"data\":\"" + std::string(data_bytes, 'x') + '"'};
  }
  static Request get() { return {"get", ""}; }
  static Request get_linearizable() { return {"get", ",\"consistency\":\"linearizable\""}; }
  static Request create(std::size_t data_bytes = 100) {
    return {"create", ",\"parents\":true,\"data\":\"" + std::string(data_bytes, 'x') + '"'};
  }

  std::string_view text(std::uint32_t id, std::uint32_t key) {
    put_digits(6, 8, id);
    put_digits(key_at_, 4, key % keys);
    return text_;
  }

 private:
  void put_digits(std::size_t at, std::size_t count, std::uint32_t number) {
    for (std::size_t i = count; i-- > 0; number /= 10) {
      text_[at + i] = static_cast<char>('0' + number % 10);
    }
  }

  std::string text_;
  std::size_t key_at_;
};

// Calls `found(id, rest of the text)` for each reply in a frame.
template <class Found>
void for_each_reply(std::string_view text, const Found& found) {
  static constexpr std::string_view mark = "{\"id\":";
  for (std::size_t at = text.find(mark); at != std::string_view::npos; at = text.find(mark, at)) {
    at += mark.size();
    std::uint32_t id = 0;
    while (at < text.size() && text[at] >= '0' && text[at] <= '9') {
      id = id * 10 + static_cast<std::uint32_t>(text[at++] - '0');
    }
    found(id, text.substr(at));
  }
}

}  // namespace bench
