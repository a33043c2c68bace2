#include "server/clients/places.h"

#include <algorithm>
#include <utility>

namespace server {

Places::Place::Place(Place&& other) noexcept
    : places_(std::exchange(other.places_, nullptr)),
      kind_(other.kind_),
      address_(other.address_),
      number_(other.number_) {}

// A place that was taken away is not in the list any more.
Places::Place::~Place() {
  if (places_ == nullptr) return;
  if (kind_ == Kind::kept) {
    places_->kept_.remove_if([this](const Kept& each) { return each.number == number_; });
    return;
  }
  places_->ordinary_ -= 1;
  if (--address_->second == 0) places_->by_address_.erase(address_);
}

Places::Place Places::take(const std::string& address, std::function<void()> end) {
  if (!is_full(address)) {
    Place place(*this, Kind::ordinary);
    place.address_ = by_address_.try_emplace(address, 0).first;
    place.address_->second += 1;
    ordinary_ += 1;
    return place;
  }
  if (!kept_.empty() && kept_.size() >= limits_.kept) make_room(address);
  Place place(*this, Kind::kept);
  place.number_ = ++last_number_;
  kept_.push_back({place.number_, address, std::move(end)});
  return place;
}

bool Places::is_full(const std::string& address) const {
  if (limits_.all != 0 && ordinary_ >= limits_.all) return true;
  const auto same = by_address_.find(address);
  return limits_.per_address != 0 && same != by_address_.end() &&
         same->second >= limits_.per_address;
}

void Places::make_room(const std::string& address) {
  std::map<std::string, std::size_t> taken{{address, 1}};
  for (const Kept& each : kept_) taken[each.address] += 1;
  const auto has_more = [](const auto& a, const auto& b) { return a.second < b.second; };
  auto most = std::ranges::max_element(taken, has_more);
  if (taken[address] == most->second) most = taken.find(address);
  auto oldest = std::ranges::find(kept_, most->first, &Kept::address);
  if (oldest == kept_.end()) oldest = kept_.begin();
  const auto end = std::move(oldest->end);
  kept_.erase(oldest);
  end();
}

}  // namespace server
