#include "session/watch_table.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "wire/ensure.h"
#include "wire/frames.h"
#include "znode/path.h"

namespace session {

SetWatch* SetWatch::make(Watcher& watcher, const wire::RequestId& id, const Watch& watch,
                         std::uint64_t serial) {
  const std::size_t text = watch.path.size() + id.json.size();
  const std::size_t from = watch.from ? sizeof(std::uint64_t) : 0;
  return new (::operator new(sizeof(SetWatch) + text + from)) SetWatch(watcher, id, watch, serial);
}

SetWatch::SetWatch(Watcher& watcher, const wire::RequestId& id, const Watch& watch,
                   std::uint64_t serial)
    : watcher_(&watcher),
      serial_(serial),
      path_bytes_(static_cast<std::uint32_t>(watch.path.size())),
      id_bytes_(static_cast<std::uint16_t>(id.json.size())),
      extra_bytes_(watch.extra_bytes),
      interest_(watch.interest),
      reach_(watch.reach),
      once_(watch.once),
      with_data_(watch.with_data),
      base64_(watch.encoding == wire::Encoding::base64),
      has_from_(watch.from.has_value()),
      reserved_(watch.reserved) {
  std::memcpy(text(), watch.path.data(), path_bytes_);
  std::memcpy(text() + path_bytes_, id.json.data(), id_bytes_);
  if (!watch.from) return;
  const std::uint64_t bits = watch.from->bits();
  std::memcpy(text() + texts(), &bits, sizeof bits);
}

void SetWatch::destroy(SetWatch* watch) {
  watch->~SetWatch();
  ::operator delete(watch);
}

wire::Encoding SetWatch::encoding() const {
  return base64_ ? wire::Encoding::base64 : wire::Encoding::text_if_utf8;
}

std::optional<wire::Zxid> SetWatch::from() const {
  if (!has_from_) return std::nullopt;
  std::uint64_t bits = 0;
  std::memcpy(&bits, text() + texts(), sizeof bits);
  return wire::Zxid::from_bits(bits);
}

const SetWatch& WatchTable::add(wire::SessionId session, const znode::Identities& identities,
                                const wire::RequestId& id, const Watch& watch) {
  ensure(id.json.size() <= wire::id_bytes_max && find(session, id.json) == nullptr,
         "the watch has a valid and unused id");
  SessionWatches& own = sessions_.try_emplace(session, TextHash{&key_}).first->second;
  own.session = session;
  own.identities = identities;
  SetWatch& set = *SetWatch::make(own, id, watch, ++last_serial_);
  own.watches.insert(set);
  own.text_bytes += set.charged_bytes();
  size_ += 1;
  groups_[group_of(watch.reach, watch.path)] += 1;
  if (!own.is_suspended && !watch.reserved) index_of(watch.reach).insert(set);
  charge(own);
  return set;
}

const SetWatch* WatchTable::find(wire::SessionId session, std::string_view id) const {
  const auto own = sessions_.find(session);
  if (own == sessions_.end()) return nullptr;
  const auto found = own->second.watches->find(id);
  return found == own->second.watches->end() ? nullptr : &*found;
}

void WatchTable::remove(const SetWatch& watch) {
  remove_from_index(watch);
  leave_group(watch);
  size_ -= 1;
  const auto own = sessions_.find(watch.watcher().session);
  own->second.text_bytes -= watch.charged_bytes();
  ById& watches = own->second.watches;
  watches->erase_and_dispose(watches->iterator_to(watch), SetWatch::destroy);
  charge(own->second);
  if (watches->empty()) sessions_.erase(own);
}

void WatchTable::remove_session(wire::SessionId session) {
  const auto own = sessions_.find(session);
  if (own == sessions_.end()) return;
  size_ -= own->second.watches->size();
  own->second.watches->clear_and_dispose([&](SetWatch* watch) {
    remove_from_index(*watch);
    leave_group(*watch);
    SetWatch::destroy(watch);
  });
  own->second.text_bytes = 0;
  charge(own->second);
  sessions_.erase(own);
}

void WatchTable::remove_from_index(const SetWatch& watch) {
  turns_.remove(watch);
  if (watch.watcher().is_suspended || watch.is_reserved()) return;
  ByPath& index = index_of(watch.reach());
  index->erase(index->iterator_to(watch));
}

void WatchTable::leave_group(const SetWatch& watch) {
  const auto group = groups_.find(group_of(watch.reach(), watch.path()));
  if (--group->second == 0) groups_.erase(group);
}

void WatchTable::suspend(wire::SessionId session) {
  const auto own = sessions_.find(session);
  if (own == sessions_.end()) return;
  for (const SetWatch& watch : *own->second.watches) remove_from_index(watch);
  own->second.is_suspended = true;
}

std::vector<const SetWatch*> WatchTable::resume(wire::SessionId session) {
  const auto own = sessions_.find(session);
  if (own == sessions_.end() || !own->second.is_suspended) return {};
  std::vector<const SetWatch*> resumed;
  own->second.is_suspended = false;
  for (SetWatch& watch : *own->second.watches) {
    if (watch.is_reserved()) continue;
    index_of(watch.reach()).insert(watch);
    resumed.push_back(&watch);
  }
  std::ranges::sort(resumed, {}, &SetWatch::serial);
  return resumed;
}

void WatchTable::clear() {
  while (!sessions_.empty()) remove_session(sessions_.begin()->first);
  turns_.clear();
}

void WatchTable::identify(wire::SessionId session, const znode::Identities& identities) {
  const auto own = sessions_.find(session);
  if (own != sessions_.end()) own->second.identities = identities;
}

void WatchTable::find(std::string_view path, wire::EventKind kind,
                      std::vector<const SetWatch*>& found) const {
  const auto collect = [&](const ByPath& index, std::string_view of) {
    for (auto [at, end] = index->equal_range(of); at != end; ++at) {
      if (at->interest().includes(kind)) found.push_back(&*at);
    }
  };
  collect(nodes_, path);
  for (std::string_view at = path; !subtrees_->empty(); at = znode::parent_of(at)) {
    collect(subtrees_, at);
    if (at == "/") break;
  }
  std::ranges::sort(found, {}, &SetWatch::serial);
}

std::size_t WatchTable::size(wire::SessionId session) const {
  const auto own = sessions_.find(session);
  return own == sessions_.end() ? 0 : own->second.watches->size();
}

std::size_t WatchTable::size(Watch::Reach reach, std::string_view path) const {
  const auto group = groups_.find(group_of(reach, path));
  return group == groups_.end() ? 0 : group->second;
}

WatchPage WatchTable::page(std::size_t position, std::size_t max) const {
  const std::size_t buckets = std::max(nodes_->bucket_count(), subtrees_->bucket_count());
  WatchPage page;
  while (position < buckets && page.paths.size() < max) {
    add_bucket(Watch::Reach::node, position, page.paths);
    add_bucket(Watch::Reach::subtree, position, page.paths);
    position += 1;
  }
  if (position < buckets) page.next = position;
  return page;
}

// Looks at one watch of each path, because one path may have very many.
void WatchTable::add_bucket(Watch::Reach reach, std::size_t bucket,
                            std::vector<PathWatches>& paths) const {
  const ByPath& index = reach == Watch::Reach::node ? nodes_ : subtrees_;
  if (bucket >= index->bucket_count()) return;
  auto at = index->begin(bucket);
  while (at != index->end(bucket)) {
    const std::string_view path = at->path();
    paths.push_back({std::string(path), reach, size(reach, path)});
    const auto after = index->equal_range(path).second;
    if (after == index->end() || index->bucket(after->path()) != bucket) return;
    at = index->local_iterator_to(*after);
  }
}

const Watcher* WatchTable::watcher(wire::SessionId session) const {
  const auto own = sessions_.find(session);
  return own == sessions_.end() ? nullptr : &own->second;
}

std::size_t WatchTable::text_bytes(wire::SessionId session) const {
  const auto own = sessions_.find(session);
  return own == sessions_.end() ? 0 : own->second.text_bytes;
}

}  // namespace session
