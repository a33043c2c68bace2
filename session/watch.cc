#include "session/watch.h"

#include <variant>

namespace session {
namespace {

using wire::EventKind;

// The changes that each request's watch reports: the tables in docs/protocol.md, "Watches" and
// "Watches on reads".
constexpr Interest of_get{.changed = true, .deleted = true};
constexpr Interest of_exists{.created = true, .changed = true, .deleted = true};
constexpr Interest of_children{.deleted = true, .children = true};
constexpr Interest of_count{.created = true, .deleted = true};
constexpr Interest of_node{.created = true, .changed = true, .deleted = true};

Watch one_shot(const std::string& path, Interest interest,
               Watch::Reach reach = Watch::Reach::node) {
  return {.path = path, .interest = interest, .reach = reach, .once = true, .from = {}};
}

std::optional<Watch> of(const wire::GetRequest& request) {
  if (!request.read.watch) return std::nullopt;
  return one_shot(request.path, of_get);
}

std::optional<Watch> of(const wire::ExistsRequest& request) {
  if (!request.read.watch) return std::nullopt;
  return one_shot(request.path, of_exists);
}

std::optional<Watch> of(const wire::ChildrenRequest& request) {
  if (!request.read.watch) return std::nullopt;
  return one_shot(request.path, of_children);
}

std::optional<Watch> of(const wire::CountRequest& request) {
  if (!request.read.watch) return std::nullopt;
  return one_shot(request.path, of_count, Watch::Reach::subtree);
}

std::optional<Watch> of(const wire::WatchRequest& request) {
  if (request.scope == wire::WatchScope::turn) return std::nullopt;  // see Watches::add_turn
  Watch watch{.path = request.path,
              .interest = of_node,
              .once = request.once,
              .with_data = request.with_data,
              .from = request.from};
  if (request.scope == wire::WatchScope::children) watch.interest = of_children;
  if (request.scope == wire::WatchScope::subtree) watch.reach = Watch::Reach::subtree;
  return watch;
}

template <class Request>
std::optional<Watch> of(const Request&) {
  return std::nullopt;
}

}  // namespace

bool Interest::includes(EventKind kind) const {
  switch (kind) {
    case EventKind::created: return created;
    case EventKind::changed: return changed;
    case EventKind::deleted: return deleted;
    case EventKind::children: return children;
    case EventKind::resync:
    case EventKind::turn: return false;
  }
  return false;
}

std::optional<Watch> watch_of(const wire::Request& request) {
  return std::visit([](const auto& each) { return of(each); }, request);
}

}  // namespace session
