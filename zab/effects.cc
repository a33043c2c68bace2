#include "zab/effects.h"

#include <iterator>
#include <utility>

namespace zab {
namespace {

template <typename T>
void add(std::vector<T>& to, std::vector<T>&& from) {
  if (to.empty()) {
    to = std::move(from);
  } else {
    to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
  }
}

// An ack says everything that an earlier one to the same server says.
bool supersedes(const Envelope& later, const Envelope& earlier) {
  return later.to == earlier.to && std::holds_alternative<Ack>(later.message) &&
         std::holds_alternative<Ack>(earlier.message);
}

}  // namespace

Effects& Effects::operator+=(Effects&& next) {
  if (next.standing) standing = next.standing;
  add(send, std::move(next.send));
  add(persist, std::move(next.persist));
  for (Envelope& envelope : next.confirm) {
    if (!confirm.empty() && supersedes(envelope, confirm.back())) {
      confirm.back() = std::move(envelope);
    } else {
      confirm.push_back(std::move(envelope));
    }
  }
  add(deliver, std::move(next.deliver));
  add(confirmed, std::move(next.confirmed));
  add(notes, std::move(next.notes));
  return *this;
}

bool Effects::empty() const {
  return !standing && send.empty() && persist.empty() && confirm.empty() && deliver.empty() &&
         confirmed.empty() && notes.empty();
}

}  // namespace zab
