#include "client-lib/service_registry.h"

#include <random>

#include "client-lib/recipes/queue.h"

namespace zabkeeper {
namespace {

std::uint64_t random_bits() {
  thread_local std::mt19937_64 random(std::random_device{}());
  return random();
}

}  // namespace

wire::Bytes data_of(const ServiceInstance& instance) {
  const nlohmann::json data = {
      {"address", instance.address}, {"weight", instance.weight}, {"details", instance.details}};
  return data.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::optional<ServiceInstance> instance_in(const std::string& id, const wire::Bytes& data) {
  const auto read = nlohmann::json::parse(std::string_view(data), nullptr, false);
  if (!read.is_object()) return std::nullopt;
  const auto address = read.find("address");
  if (address == read.end() || !address->is_string()) return std::nullopt;
  ServiceInstance instance{.id = id, .address = *address};
  if (const auto weight = read.find("weight"); weight != read.end()) {
    if (!weight->is_number_unsigned() || weight->get<std::uint64_t>() > 65'535) return std::nullopt;
    instance.weight = *weight;
  }
  if (const auto details = read.find("details"); details != read.end()) instance.details = *details;
  return instance;
}

// Each process begins at another turn, so that not all of them begin with the same instance.
ServiceInstances::ServiceInstances(const AsyncCalls& client, std::string path)
    : group_(client, std::move(path)), turn_(random_bits() >> 32) {}

// The data are read once for each state of the group.
std::shared_ptr<const ServiceInstances::Seen> ServiceInstances::see() const {
  const std::lock_guard lock(mutex_);
  if (seen_ && seen_->zxid == group_.zxid()) return seen_;
  const auto [members, zxid] = group_.members();
  auto seen = std::make_shared<Seen>();
  seen->zxid = zxid;
  for (const auto& [name, member] : members) {
    auto service = instance_in(name, member.data);
    if (!service) continue;
    seen->instances.push_back({member, service->weight});
    seen->services.push_back(std::move(*service));
  }
  seen_ = seen;
  return seen;
}

std::vector<ServiceInstance> ServiceInstances::all() const { return see()->services; }

template <typename Choose>
std::optional<ServiceInstance> ServiceInstances::choose(const Choose& choose) const {
  const auto seen = see();
  const Instance* chosen = choose(seen->instances);
  if (chosen == nullptr) return std::nullopt;
  return seen->services[static_cast<std::size_t>(chosen - seen->instances.data())];
}

std::optional<ServiceInstance> ServiceInstances::in_turn() {
  const std::uint64_t turn = turn_++;
  return choose([turn](const auto& instances) { return round_robin(instances, turn); });
}

std::optional<ServiceInstance> ServiceInstances::at_random() const {
  return choose([](const auto& instances) { return weighted(instances, random_bits()); });
}

std::optional<ServiceInstance> ServiceInstances::for_key(std::string_view key) const {
  return choose([key](const auto& instances) { return sticky(instances, key); });
}

std::unique_ptr<GroupMember> ServiceRegistry::announce(const std::string& service,
                                                       const ServiceInstance& self,
                                                       MemberOptions options) const {
  return std::make_unique<GroupMember>(client_, below(path_, service), self.id, data_of(self),
                                       std::move(options));
}

std::unique_ptr<ServiceInstances> ServiceRegistry::discover(const std::string& service) const {
  return std::make_unique<ServiceInstances>(client_, below(path_, service));
}

}  // namespace zabkeeper
