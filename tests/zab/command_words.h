#pragma once

#include <cstdint>
#include <sstream>
#include <string>

// The words of a transcript's command, read from left to right.
class CommandWords {
 public:
  explicit CommandWords(const std::string& command) : in_(command) {}

  // The next word; empty at the end.
  std::string word() {
    std::string next;
    in_ >> next;
    return next;
  }
  // The next word as a number; 0 if it is none.
  std::uint32_t number() {
    std::uint32_t next = 0;
    in_ >> next;
    return next;
  }
  // The number after the next word, as in "to 1".
  std::uint32_t number_after_word() {
    word();
    return number();
  }
  std::istream& rest() { return in_; }

 private:
  std::istringstream in_;
};
