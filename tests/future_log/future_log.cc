// Adds a transaction to the log of a stopped server, as a program of the future would have written
// it: intact, and of a version that no program knows yet. Prints its zxid.
//
//   future_log DATA_DIRECTORY SERVER_ID
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <utility>

#include "server/startup/recovered_state.h"
#include "server/storage/files/posix_file_system.h"
#include "session/transaction.h"
#include "wire/zxid.h"

namespace {

wire::Bytes of_the_future() {
  wire::Bytes bytes;
  session::encode({{}, {}, 0, 0, session::CloseTxn{}}, wire::newest_forms, bytes);
  bytes.front() = static_cast<char>(wire::newest_forms.transaction + 1);
  return bytes;
}

wire::Result<wire::Zxid> append(const std::string& directory, zab::ServerId server) {
  storage::PosixFileSystem files;
  server::DataOptions options;
  options.data_dir = options.log_dir = directory;
  options.server = server;
  auto found = server::recover_state(files, options);
  if (!found) return found.error();

  const zab::Point last = found->log.recovered.history.last();
  const wire::Zxid next{last.zxid.epoch, last.zxid.counter + 1};
  storage::Log& log = found->log.log;
  std::vector<zab::Persist> persists;
  persists.emplace_back(zab::Append{
      zab::Txn::after(last, next, std::make_shared<const wire::Bytes>(of_the_future()))});
  log.stage(std::move(persists));
  if (auto done = log.commit(); !done) return done.error();
  if (auto done = log.mark(); !done) return done.error();
  return next;
}

}  // namespace

int main(int count, char** words) {
  if (count != 3) {
    std::cerr << "usage: future_log DATA_DIRECTORY SERVER_ID\n";
    return 2;
  }
  const auto zxid = append(words[1], {static_cast<std::uint32_t>(std::atoi(words[2]))});
  if (!zxid) {
    std::cerr << zxid.error().message << "\n";
    return 1;
  }
  std::cout << wire::to_string(*zxid) << "\n";
}
