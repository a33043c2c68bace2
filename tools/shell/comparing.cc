#include <memory>
#include <optional>
#include <utility>

#include "tools/shell/omissions.h"
#include "tools/shell/regular_flush.h"
#include "tools/shell/requests.h"
#include "tools/shell/tree_diff.h"
#include "tools/shell/tree_walk.h"

// The command that compares trees.
namespace shell {
namespace {

// A walk through one of the trees.
class ComparedTree {
 public:
  ComparedTree(const zabkeeper::Client& client, std::string path, std::string servers, Output& err)
      : path_(std::move(path)),
        servers_(std::move(servers)),
        omissions_(err),
        walk_(client, path_, {.with_data = true}, omissions_) {}

  [[nodiscard]] TreeDiff::Side side(RegularFlush& flush) {
    return {path_, [this, &flush] {
              flush.tick();
              return next();
            }};
  }
  int finish() { return omissions_.finish(); }

 private:
  // An error of another ensemble names the ensemble's servers.
  std::optional<WalkedNode> next() try { return walk_.next(); } catch (Refused& refused) {
    refused.path = servers_ + refused.path;
    throw;
  }

  std::string path_;
  std::string servers_;
  Omissions omissions_;
  TreeWalk walk_;
};

}  // namespace

void Runner::on(const Diff& diff) {
  std::unique_ptr<zabkeeper::Client> client_a, client_b;
  const auto client_of = [&](const Location& location,
                             std::unique_ptr<zabkeeper::Client>& other) -> zabkeeper::Client& {
    if (location.servers.empty()) return client_();
    other = settings_.open_client(location.servers);
    return *other;
  };
  ComparedTree a(client_of(diff.a, client_a), absolute(diff.a.path), diff.a.servers, err_);
  ComparedTree b(client_of(diff.b, client_b), absolute(diff.b.path), diff.b.servers, err_);
  RegularFlush flush(out_);
  TreeDiff differences(a.side(flush), b.side(flush));
  bool is_same = true;
  while (const auto difference = differences.next()) {
    is_same = false;
    out_ << (json_ ? difference_json(*difference) : difference_text(*difference)) << '\n';
  }
  exit_code_ = a.finish();
  if (const int code = b.finish(); exit_code_ == exit_ok) exit_code_ = code;
  if (exit_code_ == exit_ok && !is_same) exit_code_ = exit_differs;
}

}  // namespace shell
