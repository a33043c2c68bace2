// A program of README.md: see tests/client-lib/page_test.cc and client_programs_test.py.
// page
#include <iostream>

#include <zabkeeper/lock.h>

int main(int argc, char** argv) {
  const std::string urls = argc > 1 ? argv[1] : "ws://127.0.0.1:2180";
  const zabkeeper::Client client({.servers = zabkeeper::servers(urls)});
  const zabkeeper::Hold hold = zabkeeper::Lock(client, "/jobs").acquire().value();
  client.only_if({hold.guard()}).put("/jobs/done", hold.path()).value();
  std::cout << "worked" << std::endl;
}  // releases the lock
// end
