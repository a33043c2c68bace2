#include "wire/replies.h"

namespace wire {

std::string_view name(Role role) {
  switch (role) {
    case Role::looking: return "looking";
    case Role::follower: return "follower";
    case Role::observer: return "observer";
    case Role::leader: return "leader";
    case Role::standalone: return "standalone";
  }
  return "looking";
}

std::string_view name(EventKind kind) {
  switch (kind) {
    case EventKind::created: return "created";
    case EventKind::changed: return "changed";
    case EventKind::deleted: return "deleted";
    case EventKind::children: return "children";
    case EventKind::resync: return "resync";
  }
  return "changed";
}

}  // namespace wire
