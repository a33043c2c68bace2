#include "tools/bench/request.h"

namespace bench {

std::string connect_request(int timeout_ms) {
  return "{\"op\":\"connect\",\"batch\":true,\"timeoutMs\":" + std::to_string(timeout_ms) + '}';
}

Request::Request(const std::string& op, const std::string& rest)
    : text_("{\"id\":10000000,\"op\":\"" + op + "\",\"path\":\"/bench/0000\"" + rest + '}'),
      key_at_(text_.find("/0000") + 1) {}

Request Request::set(std::size_t data_bytes) {
  return {"set", ",\"data\":\"" + std::string(data_bytes, 'x') + '"'};
}

Request Request::get() { return {"get", ""}; }

Request Request::get_linearizable() { return {"get", ",\"consistency\":\"linearizable\""}; }

Request Request::create(std::size_t data_bytes) {
  return {"create", ",\"parents\":true,\"data\":\"" + std::string(data_bytes, 'x') + '"'};
}

std::string_view Request::text(std::uint32_t id, std::uint32_t key) {
  constexpr std::size_t id_at = std::string_view("{\"id\":").size();
  put_digits(id_at, 8, id);
  put_digits(key_at_, 4, key % keys);
  return text_;
}

void Request::put_digits(std::size_t at, std::size_t count, std::uint32_t number) {
  for (std::size_t i = count; i-- > 0; number /= 10) {
    text_[at + i] = static_cast<char>('0' + number % 10);
  }
}

}  // namespace bench
