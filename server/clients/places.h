#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <string>

namespace server {

// The places for connections of a port. There are limits for all connections and for one address. A
// few more places are kept for HTTP pages when the others are taken. A value: it knows no socket.
class Places {
 public:
  struct Limits {
    std::uint32_t all = 0;          // 0: no limit
    std::uint32_t per_address = 0;  // 0: no limit
    std::size_t kept = 64;
  };
  enum class Kind : std::uint8_t { ordinary, kept };

  explicit Places(Limits limits) : limits_(limits) {}
  Places(const Places&) = delete;
  Places& operator=(const Places&) = delete;

  // The place of one connection; free again when destroyed.
  class Place {
   public:
    Place(Place&& other) noexcept;
    Place& operator=(Place&&) = delete;
    ~Place();

    [[nodiscard]] Kind kind() const { return kind_; }

   private:
    friend class Places;
    Place(Places& places, Kind kind) : places_(&places), kind_(kind) {}

    Places* places_;
    Kind kind_;
    std::map<std::string, std::uint32_t>::iterator address_;  // if ordinary
    std::uint64_t number_ = 0;                                // if kept
  };

  // Never refuses. A kept place that is needed is taken away from another connection: from the
  // oldest one of the address that has most of them. So no address can have them all. `end` ends
  // the connection whose place is taken away; it is not called otherwise.
  [[nodiscard]] Place take(const std::string& address, std::function<void()> end);

  [[nodiscard]] std::size_t ordinary() const { return ordinary_; }
  [[nodiscard]] std::size_t kept() const { return kept_.size(); }

 private:
  struct Kept {
    std::uint64_t number = 0;
    std::string address;
    std::function<void()> end;
  };

  [[nodiscard]] bool is_full(const std::string& address) const;
  void make_room(const std::string& address);

  const Limits limits_;
  std::map<std::string, std::uint32_t> by_address_;  // ordinary places; never 0
  std::size_t ordinary_ = 0;                         // the sum of by_address_
  std::list<Kept> kept_;                             // oldest first
  std::uint64_t last_number_ = 0;
};

}  // namespace server
