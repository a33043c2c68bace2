// A program of README.md: see tests/client-lib/page_test.cc and client_programs_test.py.
// page
#include <iostream>
#include <thread>

#include <zabkeeper/leader_election.h>

int main(int argc, char** argv) {
  const std::string name = argc > 1 ? argv[1] : "me";
  const std::string urls = argc > 2 ? argv[2] : "ws://127.0.0.1:2180";
  zabkeeper::Client client(
      {.servers = zabkeeper::servers(urls), .session = {.after_expiry = true}});
  const zabkeeper::LeaderElection election(client, "/leader");
  for (;;) {
    const zabkeeper::Hold leadership = election.candidate(name).acquire().value();
    std::cout << name << " leads" << std::endl;
    while (leadership) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}
// end
