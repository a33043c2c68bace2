#include "session/turns.h"

#include <algorithm>
#include <functional>

#include "session/watch_table.h"
#include "znode/path.h"
#include "znode/sibling.h"

namespace session {
namespace {

// So many folders in which nobody waits stay indexed, and so many children in all before they are
// dropped.
constexpr std::size_t unused_folders_max = 64;
constexpr std::size_t unused_children_max = 65'536;
// So many of the watches whose client may not read their node are looked at in one tick.
constexpr std::size_t barred_part = 256;

std::uint32_t number_of(std::string_view path) {
  return znode::sibling_of(znode::name_of(path))->number;
}

// With the kinds in order, and none of them twice.
wire::TurnOptions each_once(wire::TurnOptions options) {
  std::ranges::sort(options.among);
  const auto repeated = std::ranges::unique(options.among);
  options.among.erase(repeated.begin(), repeated.end());
  return options;
}

}  // namespace

std::uint16_t Turns::bytes_of(const wire::TurnOptions& options) {
  constexpr std::size_t of_watch = 200;
  constexpr std::size_t of_kind = 64;
  std::size_t bytes = of_watch;
  for (const std::string& kind : options.among) bytes += of_kind + kind.size();
  return static_cast<std::uint16_t>(std::min<std::size_t>(bytes, 0xffff));
}

wire::Result<void> Turns::check(const znode::Tree& tree, std::string_view path,
                                const wire::TurnOptions& options) const {
  const auto folder = folders_.find(znode::parent_of(path));
  if (folder != folders_.end()) {
    const auto& groups = folder->second.groups;
    const wire::TurnOptions own = each_once(options);
    if (groups.size() < groups_max || groups.contains({own.limit, own.among})) return {};
    return wire::Error{wire::ErrorCode::too_many_watches,
                       "turns with " + std::to_string(groups_max) +
                           " different limits and kinds are awaited in this folder already"};
  }
  const znode::Node* node = tree.find(znode::parent_of(path));
  return node == nullptr ? wire::Result<void>() : check_room(node->child_count());
}

wire::Result<void> Turns::check_room(std::size_t children) const {
  if (budget_ == nullptr) return {};
  return budget_->check_indexes(bytes() + children * SiblingSet::bytes_of({}));
}

bool Turns::is_turn(const Folder& folder, std::uint32_t number, const wire::TurnOptions& options) {
  const auto limit = static_cast<std::size_t>(options.limit);
  if (options.among.empty()) return folder.all.before(number) < limit;
  std::size_t before = 0;
  for (const std::string& kind : options.among) {
    const auto numbers = folder.kinds.find(kind);
    if (numbers != folder.kinds.end()) before += numbers->second.before(number);
  }
  return before < limit;
}

std::optional<bool> Turns::is_turn(const znode::Tree& tree, std::string_view path,
                                   const wire::TurnOptions& options) {
  const auto folder = folder_at(tree, znode::parent_of(path));
  if (folder->second.next) return std::nullopt;
  return is_turn(folder->second, number_of(path), each_once(options));
}

wire::Result<Turns::Siblings> Turns::siblings(const znode::Tree& tree, std::string_view path) {
  const znode::Node* node = tree.find(path);
  const std::size_t children = node == nullptr ? 0 : node->child_count();
  if (folders_.find(path) == folders_.end()) {
    if (auto room = check_room(children); !room) return room.error();
  }
  const auto folder = folder_at(tree, path);
  Folder& index = folder->second;
  if (!index.next) return Siblings{&index.all};
  // What is indexed already stays until it is unused: the next list need not begin again.
  if (auto room = check_room(std::min(children, part_children)); !room) return room.error();
  if (!index.is_known) index.is_known = std::make_shared<bool>(false);
  return Siblings{nullptr, index.is_known};
}

Turns::Folders::iterator Turns::folder_at(const znode::Tree& tree, std::string_view path) {
  auto folder = folders_.find(path);
  if (folder == folders_.end()) {
    folder = folders_.try_emplace(std::string(path)).first;
    unfinished_.push_back(folder);
    index_part(tree, folder);
  }
  if (folder->second.groups.empty()) set_unused(folder);
  return folder;
}

void Turns::index_part(const znode::Tree& tree, Folders::iterator folder) {
  Folder& index = folder->second;
  const znode::Node* parent = tree.find(folder->first);
  const std::size_t children = parent == nullptr ? 0 : parent->child_count();
  has_room_ = check_room(std::min(children, part_children)).has_value();
  if (!has_room_) return;  // after some ticks there may be room
  const znode::Node* child = nullptr;
  if (parent != nullptr) {
    child = index.next->empty() ? parent->first_child() : parent->first_child_after(*index.next);
  }
  for (std::size_t left = part_children; child != nullptr && left > 0; --left) {
    count_child(index, child->name(), true);
    *index.next = child->name();
    child = child->next_sibling();
  }
  charge();
  if (child != nullptr) return;
  index.next.reset();
  index.end_wait();
  std::erase(unfinished_, folder);
  check_soon(folder);
}

void Turns::index_more(const znode::Tree& tree) {
  if (is_indexing()) index_part(tree, unfinished_.front());
}

void Turns::count_child(Folder& folder, std::string_view name, bool is_there) {
  const auto sibling = znode::sibling_of(name);
  if (!sibling) return;
  const std::uint32_t number = sibling->number;
  sibling_bytes_ -= folder.all.bytes();
  is_there ? folder.all.add(number, name) : folder.all.remove(number, name);
  sibling_bytes_ += folder.all.bytes();
  indexed_ = is_there ? indexed_ + 1 : indexed_ - 1;
  // Nobody can ask for a longer one.
  if (sibling->kind.size() > wire::turn_kind_bytes_max) return;
  auto kind = folder.kinds.find(sibling->kind);
  if (kind == folder.kinds.end()) {
    kind = folder.kinds.try_emplace(std::string(sibling->kind)).first;
    kinds_ += 1;
  }
  is_there ? kind->second.add(number) : kind->second.remove(number);
  if (kind->second.size() > 0) return;
  folder.kinds.erase(kind);
  kinds_ -= 1;
}

void Turns::changed(const std::vector<znode::Change>& changes) {
  if (folders_.empty()) return;
  for (const znode::Change& change : changes) {
    const bool is_there = change.kind == wire::EventKind::created;
    if (!is_there && change.kind != wire::EventKind::deleted) continue;
    const auto folder = folders_.find(znode::parent_of(change.path));
    if (folder == folders_.end()) continue;
    const std::string_view name = znode::name_of(change.path);
    if (folder->second.next && *folder->second.next < name) continue;
    count_child(folder->second, name, is_there);
    if (!is_there) check_soon(folder);
  }
  charge();
}

void Turns::check_soon(Folders::iterator folder) {
  if (folder->second.next || std::exchange(folder->second.must_check, true)) return;
  must_check_.push_back(folder);
}

std::vector<Turns::Due> Turns::take_due() {
  std::vector<Due> due;
  for (const auto folder : std::exchange(must_check_, {})) {
    folder->second.must_check = false;
    for (const auto& [key, group] : folder->second.groups) {
      find_due(folder->second, key, group, due);
    }
  }
  for (const Due& each : due) remove(*each.watch);
  std::ranges::sort(due, {}, [](const Due& each) { return each.watch->serial(); });
  return due;
}

// As long as the numbers have an order, the first watch that is not due ends the search.
void Turns::find_due(const Folder& folder, const GroupKey& key, const Group& group,
                     std::vector<Due>& due) {
  const wire::TurnOptions options{key.first, key.second};
  std::uint32_t first = 0;
  const bool is_ordered = folder.all.is_ordered(first);
  auto at = group.lower_bound({first, nullptr});
  for (std::size_t left = group.size(); left > 0; --left) {
    if (at == group.end()) at = group.begin();
    if (is_turn(folder, at->first, options)) {
      due.push_back({at->second, options});
    } else if (is_ordered) {
      return;
    }
    ++at;
  }
}

void Turns::add(const znode::Tree& tree, const SetWatch& watch, const wire::TurnOptions& options) {
  const auto folder = folder_at(tree, znode::parent_of(watch.path()));
  unused_.erase(folder->second.used);
  const wire::TurnOptions own = each_once(options);
  const auto group = folder->second.groups.try_emplace({own.limit, own.among}).first;
  const std::uint32_t number = number_of(watch.path());
  group->second.insert({number, &watch});
  waiting_[&watch] = {folder, number, group};
}

void Turns::remove(const SetWatch& watch) {
  if (waiting_.empty() && barred_.empty()) return;
  barred_.erase(watch.serial());
  const auto found = waiting_.find(&watch);
  if (found == waiting_.end()) return;
  const auto [folder, number, group] = found->second;
  waiting_.erase(found);
  group->second.erase({number, &watch});
  if (group->second.empty()) folder->second.groups.erase(group);
  if (folder->second.groups.empty()) set_unused(folder);
}

void Turns::bar(Due due) {
  const std::uint64_t serial = due.watch->serial();
  barred_[serial] = std::move(due);
}

void Turns::tick(const znode::Tree& tree, const MayRead& may_read) {
  ticks_ += 1;
  has_room_ = true;  // perhaps: the next part shows it
  while (!unused_.empty() && unused_.begin()->second->second.used_at + unused_ticks < ticks_) {
    drop(unused_.begin()->second);
  }
  auto at = barred_.lower_bound(next_barred_);
  for (std::size_t left = std::min(barred_.size(), barred_part); left > 0; --left) {
    if (at == barred_.end()) at = barred_.begin();
    const auto entry = at++;
    if (!may_read(*entry->second.watch)) continue;
    const Due due = std::move(entry->second);
    barred_.erase(entry);
    add(tree, *due.watch, due.options);
    check_soon(waiting_.at(due.watch).folder);
  }
  next_barred_ = at == barred_.end() ? 0 : at->first;
}

void Turns::clear() {
  for (auto& [path, folder] : folders_) folder.end_wait();
  folders_.clear();
  kinds_ = 0;
  unfinished_.clear();
  must_check_.clear();
  unused_.clear();
  waiting_.clear();
  barred_.clear();
  indexed_ = sibling_bytes_ = 0;
  charge();
}

void Turns::set_unused(Folders::iterator folder) {
  unused_.erase(folder->second.used);
  folder->second.used = ++uses_;
  folder->second.used_at = ticks_;
  unused_[folder->second.used] = folder;
  // One was added at most, and two are looked at.
  for (int looked = 0; looked < 2; ++looked) {
    const bool are_too_many = unused_.size() > unused_folders_max ||
                              (unused_.size() > 1 && indexed_ > unused_children_max);
    const auto oldest = unused_.begin()->second;
    if (!are_too_many || oldest == folder) return;
    if (!oldest->second.is_awaited()) {
      drop(oldest);
      continue;
    }
    // The list that waits would only begin the index again.
    unused_.erase(oldest->second.used);
    oldest->second.used = ++uses_;
    unused_[oldest->second.used] = oldest;
  }
}

void Turns::drop(Folders::iterator folder) {
  unused_.erase(folder->second.used);
  std::erase(unfinished_, folder);
  std::erase(must_check_, folder);
  folder->second.end_wait();
  indexed_ -= folder->second.all.size();
  sibling_bytes_ -= folder->second.all.bytes();
  kinds_ -= folder->second.kinds.size();
  folders_.erase(folder);
  charge();
}

void Turns::charge() const {
  if (budget_ != nullptr) budget_->set_indexes(bytes());
}

}  // namespace session
