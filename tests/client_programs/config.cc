// A program of README.md: see tests/client-lib/page_test.cc and client_programs_test.py.
// page
#include <iostream>
#include <thread>

#include <zabkeeper/client.h>
#include <zabkeeper/config_watcher.h>

using Json = nlohmann::json;

void print(const zabkeeper::ConfigEvent<Json>& event) {
  if (const auto* changed = std::get_if<zabkeeper::ConfigChanged<Json>>(&event)) {
    std::cout << *changed->value << std::endl;
  } else if (const auto* refused = std::get_if<zabkeeper::ConfigRefused>(&event)) {
    std::cout << "refused: " << refused->error.message << std::endl;
  }
}

int main(int argc, char** argv) {
  const std::string urls = argc > 1 ? argv[1] : "ws://127.0.0.1:2180";
  zabkeeper::Client client({.servers = zabkeeper::servers(urls)});
  const zabkeeper::ConfigWatcher<Json> config(client, "/config", print);
  std::this_thread::sleep_for(std::chrono::hours(1));
}
// end
