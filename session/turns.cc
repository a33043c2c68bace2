#include "session/turns.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <limits>

#include "session/watch_table.h"
#include "znode/path.h"
#include "znode/sibling.h"

namespace session {
namespace {

// So many of the watches whose client may not read their node are looked at in one tick.
constexpr std::size_t barred_part = 256;
// A name of so many bytes is as much work to index as one more child.
constexpr std::size_t bytes_of_work = 64;

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
                                const wire::TurnOptions& options) {
  const std::string_view parent = znode::parent_of(path);
  const auto found = turn_folders_.find(parent);
  const Folder* folder = found == turn_folders_.end() ? nullptr : &found->second;
  if (folder != nullptr) {
    const wire::TurnOptions own = each_once(options);
    if (folder->groups.size() >= groups_max && !folder->groups.contains({own.limit, own.among})) {
      return wire::Error{wire::ErrorCode::too_many_watches,
                         "turns with " + std::to_string(groups_max) +
                             " different limits and kinds are awaited in this folder already"};
    }
    if (!folder->next) return {};
  }
  const znode::Node* node = tree.find(parent);
  const std::size_t children = node == nullptr ? 0 : node->child_count();
  const std::size_t indexed = folder == nullptr ? 0 : folder->all.size();
  auto room = make_room((children - std::min(children, indexed)) * child_bytes, folder);
  if (!room) count_refused();
  return room;
}

void Turns::count_refused() const {
  if (budget_ != nullptr) budget_->count_refused_index();
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
  const auto folder = folder_at(tree, znode::parent_of(path), Use::turns);
  if (folder->second.next) return std::nullopt;
  return is_turn(folder->second, number_of(path), each_once(options));
}

wire::Result<Turns::Siblings> Turns::siblings(const znode::Tree& tree, std::string_view path) {
  const znode::Node* node = tree.find(path);
  const std::size_t children = node == nullptr ? 0 : node->child_count();
  if (!list_folders_.contains(path)) {
    if (auto room = make_room(children * SiblingSet::bytes_of({}), nullptr); !room) {
      return room.error();
    }
  }
  const auto folder = folder_at(tree, path, Use::lists);
  Folder& index = folder->second;
  if (index.lacks_room) index_part(tree, folder);  // there may be room now
  if (!index.next) return Siblings{&index.names};
  // What is indexed already stays until it is unused: the next list need not begin again.
  if (index.lacks_room)
    return make_room(std::numeric_limits<std::size_t>::max() / 2, &index).error();
  if (!index.is_known) index.is_known = std::make_shared<bool>(false);
  return Siblings{nullptr, index.is_known};
}

Turns::Folders::iterator Turns::folder_at(const znode::Tree& tree, std::string_view path, Use use) {
  auto folder = folders(use).find(path);
  if (folder == folders(use).end()) {
    folder = folders(use).try_emplace(std::string(path)).first;
    folder->second.use = use;
    unfinished_.push_back(folder);
    index_part(tree, folder);
  }
  if (folder->second.groups.empty()) set_unused(folder);
  return folder;
}

bool Turns::index_part(const znode::Tree& tree, Folders::iterator folder) {
  Folder& index = folder->second;
  const znode::Node* parent = tree.find(folder->first);
  const znode::Node* child = nullptr;
  if (parent != nullptr) {
    child = index.next->empty() ? parent->first_child() : parent->first_child_after(*index.next);
  }
  bool has_room = true;
  for (std::size_t work = 0; child != nullptr && work < part_children;) {
    has_room = make_room(bytes_of(index.use, child->name()), &index).has_value();
    if (!has_room) break;
    count_child(index, child->name(), true);
    looked_at_ += 1;
    work += 1 + child->name().size() / bytes_of_work;
    *index.next = child->name();
    child = child->next_sibling();
  }
  charge();
  index.lacks_room = !has_room;
  if (child != nullptr) return has_room;
  index.next.reset();
  index.end_wait();
  std::erase(unfinished_, folder);
  check_soon(folder);
  return true;
}

// Without room, the next part is for another folder; after some ticks there may be room.
void Turns::index_more(const znode::Tree& tree) {
  if (!dropped_.empty()) return free_part();
  if (!is_indexing()) return;
  const auto folder = unfinished_.front();
  if (index_part(tree, folder)) {
    stalled_ = 0;
    return;
  }
  if (!folder->second.groups.empty()) return give_up(folder);
  std::ranges::rotate(unfinished_, unfinished_.begin() + 1);
  stalled_ += 1;
}

std::size_t Turns::bytes_of(Use use, std::string_view name) {
  return use == Use::lists ? SiblingSet::bytes_of(name) : child_bytes + kind_bytes;
}

std::size_t Turns::bytes_of(const Folder& folder) {
  return folder.names.bytes() + folder.all.size() * child_bytes + folder.kinds.size() * kind_bytes;
}

void Turns::count_child(Folder& folder, std::string_view name, bool is_there) {
  const auto sibling = znode::sibling_of(name);
  if (!sibling) return;
  const std::uint32_t number = sibling->number;
  bytes_ -= bytes_of(folder);
  if (folder.use == Use::lists) {
    is_there ? folder.names.add(number, name) : folder.names.remove(number, name);
  } else {
    is_there ? folder.all.add(number) : folder.all.remove(number);
    count_kind(folder, *sibling, is_there);
  }
  bytes_ += bytes_of(folder);
  indexed_ = is_there ? indexed_ + 1 : indexed_ - 1;
}

void Turns::count_kind(Folder& folder, const znode::Sibling& sibling, bool is_there) {
  // Nobody can ask for a longer one.
  if (sibling.kind.size() > wire::turn_kind_bytes_max) return;
  auto kind = folder.kinds.find(sibling.kind);
  if (kind == folder.kinds.end()) {
    kind = folder.kinds.try_emplace(std::string(sibling.kind)).first;
  }
  is_there ? kind->second.add(sibling.number) : kind->second.remove(sibling.number);
  if (kind->second.size() == 0) folder.kinds.erase(kind);
}

void Turns::changed(const std::vector<znode::Change>& changes) {
  if (turn_folders_.empty() && list_folders_.empty()) return;
  for (const znode::Change& change : changes) {
    const bool is_there = change.kind == wire::EventKind::created;
    if (!is_there && change.kind != wire::EventKind::deleted) continue;
    changed(Use::turns, change.path, is_there);
    changed(Use::lists, change.path, is_there);
  }
  charge();
}

void Turns::changed(Use use, std::string_view path, bool is_there) {
  const auto folder = folders(use).find(znode::parent_of(path));
  if (folder == folders(use).end()) return;
  const std::string_view name = znode::name_of(path);
  if (folder->second.next && *folder->second.next < name) return;
  if (!znode::sibling_of(name)) return;
  if (is_there && !make_room(bytes_of(use, name), &folder->second)) return give_up(folder);
  count_child(folder->second, name, is_there);
  if (!is_there) check_soon(folder);
}

void Turns::check_soon(Folders::iterator folder) {
  if (folder->second.next || std::exchange(folder->second.must_check, true)) return;
  must_check_.push_back(folder);
}

std::vector<Turns::Due> Turns::take_due() {
  std::vector<Due> due;
  std::vector<Due> lost = std::exchange(lost_, {});
  for (const auto folder : std::exchange(must_check_, {})) {
    folder->second.must_check = false;
    for (const auto& [key, group] : folder->second.groups) {
      find_due(folder->second, key, group, due);
    }
  }
  for (const Due& each : due) remove(*each.watch);
  const auto serial = [](const Due& each) { return each.watch->serial(); };
  std::ranges::sort(due, {}, serial);
  std::ranges::sort(lost, {}, serial);
  std::ranges::move(due, std::back_inserter(lost));
  return lost;
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
      due.push_back({.watch = at->second, .options = options});
    } else if (is_ordered) {
      return;
    }
    ++at;
  }
}

void Turns::add(const znode::Tree& tree, const SetWatch& watch, const wire::TurnOptions& options) {
  const auto folder = folder_at(tree, znode::parent_of(watch.path()), Use::turns);
  unused_.erase(folder->second.used);
  const wire::TurnOptions own = each_once(options);
  const auto group = folder->second.groups.try_emplace({own.limit, own.among}).first;
  const std::uint32_t number = number_of(watch.path());
  group->second.insert({number, &watch});
  waiting_[&watch] = {folder, number, group};
}

void Turns::remove(const SetWatch& watch) {
  if (waiting_.empty() && barred_.empty() && lost_.empty()) return;
  std::erase_if(lost_, [&](const Due& each) { return each.watch == &watch; });
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
  stalled_ = 0;
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
  for (auto& [path, folder] : list_folders_) folder.end_wait();
  turn_folders_.clear();
  list_folders_.clear();
  unfinished_.clear();
  must_check_.clear();
  unused_.clear();
  waiting_.clear();
  lost_.clear();
  barred_.clear();
  dropped_.clear();
  indexed_ = bytes_ = dropped_bytes_ = stalled_ = 0;
  charge();
}

}  // namespace session
