#include <algorithm>
#include <utility>

#include "tests/sim/service/user.h"
#include "tests/sim/violation.h"
#include "wire/forms.h"

// What greedy users do, and what nobody else may suffer from it.
namespace sim {
namespace {

// Until so many are outstanding a greedy user sends more.
constexpr std::size_t outstanding_wanted = 60;

}  // namespace

// Each user has its own address if addresses have limits.
std::string User::address() const {
  return world_.options().small.are_on() ? "10.0.0." + std::to_string(number_ + 1) : "127.0.0.1";
}

User::Pace User::next_pace() {
  if (greed_ != Greed::requests || is_concluding_ || !open_) return {};
  if (random_.one_in(100)) return {2, 0, true};
  if (!random_.one_in(8)) return {};
  return {random_.between(2, 6), random_.below(4 * tick), false};
}

void User::be_greedy() {
  if (random_.one_in(10)) reads_from_ = world_.now() + random_.below(40 * tick);
  // Not more than the server keeps results of.
  const std::size_t most =
      dedup_ ? std::min<std::size_t>(world_.options().outstanding_max, outstanding_wanted)
             : outstanding_wanted;
  for (std::uint64_t frames = random_.between(1, 8); frames > 0; --frames) {
    if (outstanding_.size() >= most) return;
    if (random_.one_in(5)) {
      const std::uint64_t count =
          std::min<std::uint64_t>(random_.between(2, 40), most - outstanding_.size());
      wire::Request small_one = wire::GetRequest{"/g", {}};
      if (random_.one_in(2)) {
        wire::WatchRequest watch;
        watch.path = "/g";
        watch.scope = wire::WatchScope::subtree;
        watch.with_data = true;
        small_one = watch;
      }
      send(std::vector(count, small_one));
    } else {
      send({some_greed()});
    }
  }
}

// The session stays open until it expires.
void User::leave_session() {
  disconnect();
  end_session();
}

wire::Bytes User::large_data(std::size_t most) {
  wire::Bytes data = some_data();
  const std::size_t size = random_.between(most / 4, most);
  // In JSON each of the latter takes six bytes.
  const bool is_escaped = most <= world_.options().small.data_bytes && random_.one_in(8);
  if (size > data.size()) data.resize(size, is_escaped ? '\x01' : 'x');
  return data;
}

wire::Request User::some_greed() {
  const SmallLimits& small = world_.options().small;
  const std::string path = "/g/" + std::to_string(random_.below(20));
  switch (random_.below(10)) {
    case 0:
    case 1:
    case 2: {
      wire::CreateRequest create;
      create.path = path;
      create.data = large_data(small.data_bytes);
      create.parents = true;
      create.ephemeral = random_.one_in(4);
      return create;
    }
    case 3: {
      wire::SetRequest set;
      set.path = random_.one_in(2) ? path : "/g";
      const bool is_too_large = random_.one_in(4);
      set.data = large_data(is_too_large ? 2 * small.data_bytes : small.data_bytes);
      return set;
    }
    case 4:
    case 5: {
      wire::ChildrenRequest children;
      children.path = "/g";
      children.with_data = true;
      children.with_stat = random_.one_in(2);
      return children;
    }
    case 6: {
      wire::DeleteRequest remove;
      remove.path = path;
      return remove;
    }
    case 7: {
      wire::GetRequest get;
      get.path = path;
      if (random_.one_in(2)) get.read.consistency = wire::Linearizable{};
      get.read.watch = random_.one_in(2);
      return get;
    }
    default: return large_multi();
  }
}

// Of reads whose replies are large together, or of writes.
wire::Request User::large_multi() {
  const SmallLimits& small = world_.options().small;
  wire::MultiRequest multi;
  const std::uint64_t ops = random_.between(2, small.multi_ops + small.multi_ops / 8);
  const bool writes = random_.one_in(2);
  const bool lists = world_.oracle().model().level() >= wire::Level{2};
  const std::size_t each = small.frame_bytes / 3 / ops;
  for (std::uint64_t i = 0; i < ops; ++i) {
    const std::string path = "/g/" + std::to_string(random_.below(20));
    if (writes) {
      wire::SetRequest set;
      set.path = path;
      set.data = large_data(std::min<std::size_t>(each, small.data_bytes));
      set.create = true;
      multi.ops.emplace_back(set);
    } else if (!lists || random_.one_in(2)) {
      multi.ops.emplace_back(wire::GetRequest{"/g", {}});
    } else {
      wire::ChildrenRequest children;
      children.path = "/g";
      children.with_data = random_.one_in(2);
      multi.ops.emplace_back(children);
    }
  }
  if (!writes && random_.one_in(2)) {
    wire::SetRequest set;
    set.path = "/g";
    set.data = large_data(small.data_bytes);
    multi.ops.insert(multi.ops.begin(), wire::MultiOp(set));
  }
  return multi;
}

// A user that asks for little is not refused for want of room that others have taken. All share the
// state and the indexes of numbers. So a full state refuses everybody's writes, and the folders of
// ordinary users alone may need more indexes than there is room for.
void User::check_refusal(const TrackedRequest& tracked, const wire::Error& error) const {
  using wire::ErrorCode;
  if (error.code == ErrorCode::too_large) world_.cluster().counts().count(Rare::too_large);
  if (is_greedy() || !world_.options().small.are_on()) return;
  const bool is_full = error.message.starts_with("the tree and the sessions are full") ||
                       error.message.starts_with("the indexes of the numbers in folders");
  // These recipes set more watches than the small limits allow, and are not counted here.
  const ServiceOptions& options = world_.options();
  const bool has_recipes =
      options.trees || options.groups || options.multi_locks || options.barriers;
  const bool has_few_watches = !has_recipes && watches_.size() < 10;
  // With stats, a list of an ordinary folder may be larger than an equal share of a small budget.
  const auto* list = std::get_if<wire::ChildrenRequest>(&tracked.request.request);
  const bool may_be_large = list != nullptr && (list->with_stat || list->with_data) &&
                            error.message.starts_with("the memory for replies that wait");
  if (may_be_large) return;
  const bool is_for_room =
      is_overload(error.code) || (error.code == ErrorCode::too_many_watches && has_few_watches);
  if (is_for_room && !is_full)
    throw Violation("bystander", describe(tracked) + ": " + error.message);
}

}  // namespace sim
