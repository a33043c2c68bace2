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

// The order of one connection's requests: replies leave as the requests came, and a read is carried
// out once everything before it is answered and before what is behind it takes effect, so that it
// sees the session's own writes, and only those that it should.
//
// A slot waits under a tag until it is answered or released; tags are not 0 and not used twice
// while they wait. `Reply` is what is sent, `Read` what is carried out: the queue looks into
// neither.
template <class Reply, class Read>
class RequestOrder {
 public:
  using Next = std::variant<Reply, Read>;

  // A request that is on its way to be answered under `tag`: a write, or anything else that ends in
  // a reply.
  void push_write(std::uint64_t tag) { slots_.push_back({tag, std::nullopt}); }
  // A read that may be carried out as soon as its turn comes.
  void push_read(Read read) {
    slots_.push_back({0, Next(std::in_place_index<1>, std::move(read))});
  }
  // A read that also has to wait for something else: for a quorum's word, for a zxid.
  void push_held_read(std::uint64_t tag, Read read) {
    slots_.push_back({tag, Next(std::in_place_index<1>, std::move(read))});
  }
  // An answer that is known at once, such as a refusal of what is no request.
  void push_reply(Reply reply) {
    slots_.push_back({0, Next(std::in_place_index<0>, std::move(reply))});
  }

  // The reply to what waits under `tag`; a held read is then not carried out any more. False if
  // nothing waits under it.
  bool answer(std::uint64_t tag, Reply reply) {
    Slot* slot = slot_of(tag);
    if (!slot) return false;
    *slot = {0, Next(std::in_place_index<0>, std::move(reply))};
    return true;
  }
  // What the held read under `tag` waited for has come. False if none waits under it.
  bool release(std::uint64_t tag) {
    Slot* slot = slot_of(tag);
    if (!slot || !slot->next) return false;
    slot->tag = 0;
    return true;
  }

  // The write under `tag` takes effect now: what came before it and is still to be read is read by
  // `carry_out(const Read&)`, which returns the reply, or nothing where this read, and so what is
  // behind it, has to wait all the same. The replies leave in their turn. False if there was
  // nothing to read.
  template <class CarryOut>
  bool read_before(std::uint64_t tag, CarryOut carry_out) {
    // In the usual case the write's turn has come.
    if (slots_.empty() || slots_.front().tag == tag || !slot_of(tag)) return false;
    bool any = false;
    for (Slot& slot : slots_) {
      if (slot.tag == tag) break;
      if (!slot.next || slot.next->index() == 0) continue;
      std::optional<Reply> reply = carry_out(std::get<1>(*slot.next));
      if (!reply) break;
      slot = {0, Next(std::in_place_index<0>, *std::move(reply))};
      any = true;
    }
    return any;
  }

  // The reply to send or the read to carry out next, or nothing while the oldest request waits.
  // What a read came to is sent before the next call.
  [[nodiscard]] std::optional<Next> pop_ready() {
    if (slots_.empty() || slots_.front().tag != 0) return std::nullopt;
    std::optional<Next> next = std::move(slots_.front().next);
    slots_.pop_front();
    return next;
  }

  // The first reply that is known and is one of those that `is_it(const Reply&)`; null if there is
  // none.
  template <class IsIt>
  [[nodiscard]] const Reply* find_reply(IsIt is_it) const {
    for (const Slot& slot : slots_) {
      if (!slot.next || slot.next->index() != 0) continue;
      if (const Reply& reply = std::get<0>(*slot.next); is_it(reply)) return &reply;
    }
    return nullptr;
  }

  // The tags that something waits under, the oldest request's first.
  [[nodiscard]] std::vector<std::uint64_t> waiting() const {
    std::vector<std::uint64_t> tags;
    for (const Slot& slot : slots_) {
      if (slot.tag != 0) tags.push_back(slot.tag);
    }
    return tags;
  }

  // Requests that are not answered yet.
  [[nodiscard]] std::size_t size() const { return slots_.size(); }
  [[nodiscard]] bool empty() const { return slots_.empty(); }

 private:
  struct Slot {
    std::uint64_t tag = 0;     // 0: waits for nothing but its turn
    std::optional<Next> next;  // unset: a write that is not answered yet
  };

  // Answers come nearly in order, so the slot is found near the front.
  Slot* slot_of(std::uint64_t tag) {
    if (tag == 0) return nullptr;
    const auto slot = std::find_if(slots_.begin(), slots_.end(),
                                   [tag](const Slot& other) { return other.tag == tag; });
    return slot == slots_.end() ? nullptr : &*slot;
  }

  std::list<Slot> slots_;  // empty for most, and then nothing is allocated
};

}  // namespace session
