#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "client-lib/async_calls.h"
#include "client-lib/group.h"
#include "client-lib/recipes/service_choice.h"

// Services that clients find by their names.
//
//   zabkeeper::ServiceRegistry registry(client, "/services");
//   const auto self = registry.announce("report", {.id = "report-7", .address = "10.0.0.7:80"});
//
//   const auto reports = registry.discover("report");
//   reports->wait_for(std::chrono::seconds(5)).value();
//   const auto one = reports->in_turn();  // nothing if no instance is there
//   if (one) call(one->address);
namespace zabkeeper {

// One instance of a service, as others see it.
struct ServiceInstance {
  std::string id;            // also after a restart; the name of its node
  std::string address;       // how to reach it
  std::uint16_t weight = 1;  // how many times as many clients as one of weight 1; 0: none
  nlohmann::json details = nlohmann::json::object();  // what else clients need

  bool operator==(const ServiceInstance&) const = default;
};

// The instances of one service, kept current in memory. All functions may be called by any thread.
// The client must outlive it.
class ServiceInstances {
 public:
  ServiceInstances(const AsyncCalls& client, std::string path);

  // As of GroupMembership.
  Result<wire::Zxid> wait_for(std::chrono::milliseconds timeout) const {
    return group_.wait_for(timeout);
  }
  // All instances, by id. Members whose data are no instance are left out.
  [[nodiscard]] std::vector<ServiceInstance> all() const;

  // Each of these chooses an instance that has a weight; nothing if there is none.

  // In each round every instance as often as its weight says.
  [[nodiscard]] std::optional<ServiceInstance> in_turn();
  // At random, with a probability that is proportional to the weight.
  [[nodiscard]] std::optional<ServiceInstance> at_random() const;
  // The same one for the same key, in every process that sees the same instances. When an instance
  // joins or leaves, only its own keys move.
  [[nodiscard]] std::optional<ServiceInstance> for_key(std::string_view key) const;

 private:
  // The instances at one zxid.
  struct Seen {
    wire::Zxid zxid;
    std::vector<Instance> instances;
    std::vector<ServiceInstance> services;  // in the same order
  };
  [[nodiscard]] std::shared_ptr<const Seen> see() const;
  template <typename Choose>
  [[nodiscard]] std::optional<ServiceInstance> choose(const Choose& choose) const;

  GroupMembership group_;
  std::atomic<std::uint64_t> turn_;
  mutable std::mutex mutex_;
  mutable std::shared_ptr<const Seen> seen_;
};

// Any thread may use it. The client must outlive it, and what it returns.
class ServiceRegistry {
 public:
  // Each service has a node below the path.
  ServiceRegistry(const AsyncCalls& client, std::string path)
      : client_(client), path_(std::move(path)) {}

  // Announces this program as an instance, as long as the result lives: see GroupMember. If a
  // former session of the same id has left its node, the instance takes it over at once. Throws
  // std::invalid_argument if the id is no name of a node.
  [[nodiscard]] std::unique_ptr<GroupMember> announce(const std::string& service,
                                                      const ServiceInstance& self,
                                                      MemberOptions options = {}) const;
  // Follows the instances of a service, as long as the result lives.
  [[nodiscard]] std::unique_ptr<ServiceInstances> discover(const std::string& service) const;

 private:
  AsyncCalls client_;
  std::string path_;
};

// The data of an instance's node: a JSON object with `address`, `weight` and `details`.
[[nodiscard]] wire::Bytes data_of(const ServiceInstance& instance);
// Nothing if these are not the data of an instance.
[[nodiscard]] std::optional<ServiceInstance> instance_in(const std::string& id,
                                                         const wire::Bytes& data);

}  // namespace zabkeeper
