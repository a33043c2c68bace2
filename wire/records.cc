#include "wire/records.h"

#include <array>

namespace wire {
namespace {

struct Letter {
  char letter;
  Perm perm;
};
constexpr std::array letters{Letter{'c', Perm::create}, Letter{'d', Perm::remove},
                             Letter{'r', Perm::read}, Letter{'w', Perm::write},
                             Letter{'a', Perm::admin}};

}  // namespace

const Acl& open_acl() {
  static const Acl acl{{"world", "anyone", 31}};
  return acl;
}

std::string perm_letters(std::uint8_t perms) {
  std::string text;
  for (const Letter& letter : letters) {
    if ((perms & static_cast<std::uint8_t>(letter.perm)) != 0) text.push_back(letter.letter);
  }
  return text;
}

std::optional<std::uint8_t> perms_of(std::string_view text) {
  unsigned perms = 0;
  for (const char c : text) {
    unsigned perm = 0;
    for (const Letter& letter : letters) {
      if (letter.letter == c) perm = static_cast<unsigned>(letter.perm);
    }
    if (perm == 0) return std::nullopt;
    perms |= perm;
  }
  return static_cast<std::uint8_t>(perms);
}

}  // namespace wire
