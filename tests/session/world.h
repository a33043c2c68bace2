#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "session/service.h"
#include "tests/znode/printing.h"

namespace session {

// A leader without an ensemble, for tests. Plans are applied when the test asks for it. The n-th
// transaction has zxid 1:n and time 1000 * n.
class World {
 public:
  explicit World(const Service::Options& options = {}) : service_(options) {}

  static SecretHash secret(std::uint8_t value) {
    SecretHash hash{};
    hash.fill(value);
    return hash;
  }

  // Opens a session over a connection of server 1. `connection` is the connection's number and also
  // the secret.
  wire::SessionId open(std::uint64_t connection) {
    REQUIRE(plan({{},
                  {1, connection},
                  connection,
                  OpenSession{secret(static_cast<std::uint8_t>(connection)), 10'000}}));
    owners_.push_back({apply_all().session, {1, connection}});
    return owners_.back().first;
  }

  znode::PlanResult<wire::Bytes> plan(const Command& command) {
    planned_count_ += 1;
    auto planned = service_.plan(command, static_cast<wire::TimeMs>(1000 * planned_count_));
    if (planned) {
      planned_.push_back(*planned);
    } else {
      planned_count_ -= 1;
    }
    return planned;
  }
  // Plans a command from the connection that opened the session.
  znode::PlanResult<wire::Bytes> plan(wire::SessionId session, CommandBody body) {
    return plan({session, owner(session), 99, std::move(body)});
  }

  // Applies all outstanding plans. Returns the result of the last transaction.
  Applied apply_all() {
    Applied applied;
    for (wire::Bytes& bytes : std::exchange(planned_, {})) {
      count_ += 1;
      applied = *service_.apply({{1}, count_}, bytes);
      log_.push_back(std::move(bytes));
    }
    return applied;
  }

  void set_level(wire::Level level) {
    planned_count_ += 1;
    planned_.push_back(
        *service_.plan_level(level, static_cast<wire::TimeMs>(1000 * planned_count_)));
    apply_all();
  }
  Applied run(wire::SessionId session, CommandBody body) {
    REQUIRE(plan(session, std::move(body)));
    return apply_all();
  }
  void create(wire::SessionId session, std::string path, wire::Bytes data = {}) {
    wire::CreateRequest request;
    request.path = std::move(path);
    request.data = std::move(data);
    run(session, std::move(request));
  }

  [[nodiscard]] Owner owner(wire::SessionId session) const {
    for (const auto& [id, owner] : owners_) {
      if (id == session) return owner;
    }
    return {};
  }
  Service& service() { return service_; }
  // All applied transactions. The n-th has zxid 1:n.
  [[nodiscard]] const std::vector<wire::Bytes>& log() const { return log_; }

 private:
  Service service_;
  std::vector<std::pair<wire::SessionId, Owner>> owners_;
  std::vector<wire::Bytes> planned_;
  std::vector<wire::Bytes> log_;
  std::uint64_t count_ = 0;
  std::uint64_t planned_count_ = 0;
};

inline wire::ErrorCode refused(const znode::PlanResult<wire::Bytes>& planned) {
  return planned.error().error.code;
}

inline wire::CreateRequest create_request(std::string path) {
  wire::CreateRequest request;
  request.path = std::move(path);
  return request;
}

inline wire::CreateRequest ephemeral_request(std::string path) {
  wire::CreateRequest request = create_request(std::move(path));
  request.ephemeral = true;
  return request;
}

}  // namespace session
