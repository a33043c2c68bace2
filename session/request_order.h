#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

namespace session {

// The order of one connection's requests. Replies are sent in the order of their requests. A read
// is carried out after all earlier requests are answered, and before any later write takes effect.
// So it sees the session's earlier writes, and no later ones.
//
// A slot waits under a tag until it is answered or released. A tag is not 0, and is unique among
// the waiting slots. The queue does not look into `Reply` (to be sent) or `Read` (to be carried
// out).
template <class Reply, class Read>
class RequestOrder {
 public:
  using Next = std::variant<Reply, Read>;

  // Adds a request that will be answered under `tag`: a write, or any other request that gets its
  // reply later.
  void push_write(std::uint64_t tag) { slots_.push_back({tag, std::nullopt}); }
  // Adds a read that may be carried out as soon as it is the oldest request.
  void push_read(Read read) {
    slots_.push_back({0, Next(std::in_place_index<1>, std::move(read))});
  }
  // Adds a read that must also wait for its release: for a quorum's confirmation, or for a zxid.
  void push_held_read(std::uint64_t tag, Read read) {
    slots_.push_back({tag, Next(std::in_place_index<1>, std::move(read))});
  }
  // Adds a reply that is known at once, such as the refusal of an invalid request.
  void push_reply(Reply reply) {
    slots_.push_back({0, Next(std::in_place_index<0>, std::move(reply))});
  }

  // Sets the reply of the slot that waits under `tag`; a held read is not carried out then. Returns
  // false if no slot waits under it.
  bool answer(std::uint64_t tag, Reply reply) {
    Slot* slot = slot_of(tag);
    if (!slot) return false;
    *slot = {0, Next(std::in_place_index<0>, std::move(reply))};
    return true;
  }
  // Whether the slot that waits under `tag` is the oldest request.
  [[nodiscard]] bool is_next(std::uint64_t tag) const {
    return !slots_.empty() && slots_.front().tag == tag;
  }
  // Releases the held read that waits under `tag`. Returns false if there is none.
  bool release(std::uint64_t tag) {
    Slot* slot = slot_of(tag);
    if (!slot || !slot->next) return false;
    slot->tag = 0;
    return true;
  }

  // To be called before the write under `tag` takes effect. Carries out the earlier reads with
  // `carry_out(const Read&)`, and keeps their replies until it is their turn to be sent.
  // `carry_out` returns none if the read must wait after all; then later reads wait too. A read
  // that `stays` is left in its place, because it shows no state. Returns false if no read was
  // carried out.
  template <class Stays, class CarryOut>
  bool read_before(std::uint64_t tag, Stays stays, CarryOut carry_out) {
    // Usually the write is the oldest request.
    if (slots_.empty() || slots_.front().tag == tag || !slot_of(tag)) return false;
    bool any = false;
    for (Slot& slot : slots_) {
      if (slot.tag == tag) break;
      if (!slot.next || slot.next->index() == 0) continue;
      if (stays(std::get<1>(*slot.next))) continue;
      std::optional<Reply> reply = carry_out(std::get<1>(*slot.next));
      if (!reply) break;
      slot = {0, Next(std::in_place_index<0>, *std::move(reply))};
      any = true;
    }
    return any;
  }

  // The next reply to send or read to carry out; none while the oldest request waits. The caller
  // sends the result of a read before it calls again.
  [[nodiscard]] std::optional<Next> pop_ready() {
    if (slots_.empty() || slots_.front().tag != 0) return std::nullopt;
    std::optional<Next> next = std::move(slots_.front().next);
    slots_.pop_front();
    return next;
  }

  // Puts back the read that `pop_ready` returned last: it could not be carried out yet.
  void put_back(Read read) {
    slots_.push_front({0, Next(std::in_place_index<1>, std::move(read))});
  }

  // The first known reply for which `matches(const Reply&)` is true; null if there is none.
  template <class Matches>
  [[nodiscard]] const Reply* find_reply(Matches matches) const {
    for (const Slot& slot : slots_) {
      if (!slot.next || slot.next->index() != 0) continue;
      if (const Reply& reply = std::get<0>(*slot.next); matches(reply)) return &reply;
    }
    return nullptr;
  }

  // The tags of the waiting slots, oldest request first.
  [[nodiscard]] std::vector<std::uint64_t> waiting() const {
    std::vector<std::uint64_t> tags;
    for (const Slot& slot : slots_) {
      if (slot.tag != 0) tags.push_back(slot.tag);
    }
    return tags;
  }

  // The number of requests that are not answered yet.
  [[nodiscard]] std::size_t size() const { return slots_.size(); }
  [[nodiscard]] bool empty() const { return slots_.empty(); }

 private:
  struct Slot {
    std::uint64_t tag = 0;     // 0: only waits to be the oldest
    std::optional<Next> next;  // unset: a write that is not answered yet
  };

  // Answers come nearly in order, so the slot is usually near the front.
  Slot* slot_of(std::uint64_t tag) {
    if (tag == 0) return nullptr;
    const auto slot = std::find_if(slots_.begin(), slots_.end(),
                                   [tag](const Slot& other) { return other.tag == tag; });
    return slot == slots_.end() ? nullptr : &*slot;
  }

  std::list<Slot> slots_;  // usually empty; a list allocates nothing then
};

}  // namespace session
