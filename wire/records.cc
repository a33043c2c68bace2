#include "wire/records.h"

namespace wire {

const Acl& open_acl() {
  static const Acl acl{{"world", "anyone", 31}};
  return acl;
}

}  // namespace wire
