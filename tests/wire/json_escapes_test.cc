#include "wire/json_escapes.h"

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "wire/json_text.h"
#include "wire/reply_size.h"

namespace wire::json {
namespace {

TEST_CASE("a word has a byte to escape where one of its bytes is escaped") {
  for (int value = 0; value < 256; ++value) {
    const char c = static_cast<char>(value);
    for (const char other : {'a', ' ', '!', '#', '[', ']', '\x7f', '\x80', '\xff'}) {
      for (std::size_t at = 0; at < word_bytes; ++at) {
        std::string text(word_bytes, other);
        text[at] = c;
        CAPTURE(value);
        CAPTURE(at);
        CHECK(has_escaped(load_word(text.data())) == is_escaped(c));
      }
    }
  }
  std::minstd_rand random(1);
  for (int i = 0; i < 20'000; ++i) {
    std::string text(word_bytes, '\0');
    for (char& c : text) c = static_cast<char>(0x18 + random() % 0x50);
    CHECK(has_escaped(load_word(text.data())) == std::ranges::any_of(text, is_escaped));
  }
}

TEST_CASE("text with bytes to escape at any place is what a JSON parser reads again") {
  for (std::size_t size = 0; size < 20; ++size) {
    for (std::size_t at = 0; at < size; ++at) {
      for (const char c : {'"', '\\', '\n', '\x01', '\x1f', ' ', '\x7f'}) {
        std::string text(size, 'x');
        text[at] = c;
        text[size / 2] = c;
        std::string json;
        append_string(text, json);
        CHECK(nlohmann::json::parse(json) == text);
        CHECK(json.size() <= text_bytes_max(text));
      }
    }
  }
}

}  // namespace
}  // namespace wire::json
