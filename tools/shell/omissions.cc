#include "tools/shell/omissions.h"

namespace shell {

void Omissions::add(const Refused& refused, const std::string& path) {
  const wire::ErrorCode code = refused.error.code;
  if (code == wire::ErrorCode::no_node) {
    if (vanished_++ == 0) first_vanished_ = path;
  } else if (code == wire::ErrorCode::no_auth) {
    err_ << error_text(refused.error, path) << "; what is below it is left out\n";
    exit_code_ = exit_code(code, Effect::read);
  } else {
    throw refused;
  }
}

int Omissions::finish() {
  if (vanished_ == 0) return exit_code_;
  err_ << first_vanished_;
  if (vanished_ > 1) err_ << " and " << vanished_ - 1 << " more";
  err_ << (vanished_ == 1 ? " was" : " were") << " deleted while the list was made\n";
  return exit_code_;
}

}  // namespace shell
