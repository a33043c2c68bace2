#include "client-lib/json.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace shop {

struct Settings {
  std::string name;
  int replicas = 0;

  bool operator==(const Settings&) const = default;
};

void to_json(nlohmann::json& json, const Settings& settings) {
  json = {{"name", settings.name}, {"replicas", settings.replicas}};
}

void from_json(const nlohmann::json& json, Settings& settings) {
  json.at("name").get_to(settings.name);
  json.at("replicas").get_to(settings.replicas);
}

}  // namespace shop

namespace zabkeeper {
namespace {

TEST_CASE("data of a node can be JSON of a type that the user converts") {
  const shop::Settings settings{"grüß", 3};
  const wire::Bytes data = to_data(settings);
  CHECK(data == R"({"name":"grüß","replicas":3})");
  CHECK(*from_data<shop::Settings>(data) == settings);
  CHECK(*from_data<std::vector<int>>("[1,2]") == std::vector<int>{1, 2});
}

TEST_CASE("data that are not JSON, or not that of the type, are a MarshallingError") {
  for (const char* data :
       {"", "{", "[]", R"({"name":"a"})", R"({"name":1,"replicas":1})", "\xff"}) {
    CAPTURE(data);
    const auto settings = from_data<shop::Settings>(data);
    REQUIRE(settings.has_error());
    CHECK(settings.error().code == ErrorCode::marshalling_error);
  }
}

}  // namespace
}  // namespace zabkeeper
