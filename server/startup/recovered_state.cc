#include "server/startup/recovered_state.h"

#include <utility>

#include "server/checkpoints/incoming_snapshot.h"
#include "server/storage/checkpoint.h"
#include "session/restoration.h"
#include "wire/zxid.h"

namespace server {
namespace {

struct Loaded {
  std::unique_ptr<session::Service> service;
  storage::CheckpointLabel label;
};

// Nothing if there is no checkpoint. Changes nothing on the disk. An error if it is damaged; its
// code is `unimplemented` if a program of another version wrote it. The label decides: with a label
// that this program knows, a record of an unknown version is damage.
wire::Result<std::optional<Loaded>> load(storage::Checkpoint& file,
                                         const session::Service::Options& options) {
  if (!file.exists()) return std::optional<Loaded>();
  const auto label = file.probe();
  if (!label) return label.error();
  if (!*label) return std::optional<Loaded>();

  session::Restoration restoration(options);
  const auto read = file.read(
      [&](std::string_view key, std::string_view value) { return restoration.add(key, value); });
  const auto damaged = [&](const std::string& what) {
    return wire::Error{wire::ErrorCode::system_error, file.path() + ": " + what};
  };
  if (!read) return damaged(read.error().message);
  auto service = restoration.finish();
  if (!service) return damaged(service.error().message);
  if ((*service)->applied() != (*label)->at.zxid)
    return damaged("the label is of another transaction than the records");
  return std::optional<Loaded>(Loaded{std::move(*service), **label});
}

bool is_unknown_version(const wire::Error& error) {
  return error.code == wire::ErrorCode::unimplemented;
}

// `key`: names the directory that is in use.
wire::Error in_use(const std::string& what, const std::string& key) {
  return {wire::ErrorCode::system_error,
          what + "; stop that one, or choose another directory with " + key + "="};
}

bool is_snapshot_missing(const storage::OpenResult<storage::OpenedLog>& log) {
  return !log && log.error().reason == storage::OpenError::Reason::snapshot_missing;
}

class StartupRecovery {
 public:
  StartupRecovery(storage::FileSystem& files, const DataOptions& options)
      : files_(files),
        options_(options),
        file_(checkpoint_path(options.data_dir)),
        incoming_(IncomingSnapshot::path_beside(file_.path())) {}

  wire::Result<RecoveredState> run() {
    if (auto made = files_.make_directory(options_.data_dir); !made) return made.error();
    auto lock = files_.lock(file_.path() + ".owner");
    if (!lock) return lock.error();
    if (!*lock) {
      return in_use(options_.data_dir + ": in use by another process, which holds the lock on " +
                        file_.path() + ".owner",
                    "dataDir");
    }
    if (auto judged = judge_incoming(); !judged) return judged.error();
    if (auto loaded = load_checkpoint(); !loaded) return loaded.error();
    auto log = open_log();
    if (is_snapshot_missing(log)) {
      // The process ended between the log's commit and the snapshot's new name.
      if (auto installed = install_adopted(); !installed) return installed.error();
      log = open_log();
    }
    if (is_snapshot_missing(log)) {
      log = open_log(storage::AdoptedSnapshot::lost);
    }
    if (!log && log.error().reason == storage::OpenError::Reason::in_use) {
      return in_use(log.error().message, "dataLogDir");
    }
    if (!log) return log_error(log.error());
    const zab::ClusterId ours = log->recovered.cluster;
    if (!ours.none() && !label_.cluster.none() && ours != label_.cluster) {
      return refusal("is of cluster " + to_string(label_.cluster) + ", but the log is of cluster " +
                     to_string(ours));
    }
    if (auto aside = set_aside_if_damaged(); !aside) return aside.error();
    static_cast<void>(incoming_.remove());
    file_.close_if_unused();
    if (!service_) service_ = std::make_unique<session::Service>(options_.service);
    return RecoveredState{std::move(*lock), std::move(*log),    std::move(service_),
                          label_.at,        std::move(report_), lost_};
  }

 private:
  // A snapshot that is not adopted yet may be of another version too. It may also be incomplete, so
  // other errors only mean that it does not count.
  wire::Result<void> judge_incoming() {
    if (!incoming_.exists()) return {};
    const auto label = incoming_.probe();
    if (label) stored_ = *label;
    if (!label && is_unknown_version(label.error())) return unknown_version(label.error());
    return {};
  }

  // A damaged file is set aside later, when it is certain that this server starts.
  wire::Result<void> load_checkpoint() {
    auto loaded = load(file_, options_.service);
    if (!loaded && is_unknown_version(loaded.error())) return unknown_version(loaded.error());
    if (!loaded) {
      damage_ = loaded.error().message;
      return {};
    }
    if (!*loaded) return {};
    if ((*loaded)->label.server != options_.server) {
      return refusal("belongs to server " + std::to_string((*loaded)->label.server.value) +
                     ", but this is server " + std::to_string(options_.server.value));
    }
    service_ = std::move((*loaded)->service);
    label_ = (*loaded)->label;
    report_ = file_.path() + ": a checkpoint at " + wire::to_string(label_.at.zxid) + ", " +
              std::to_string(service_->tree().size()) + " nodes, " +
              std::to_string(service_->sessions().size()) + " sessions";
    return {};
  }

  wire::Result<void> set_aside_if_damaged() {
    if (!damage_) return {};
    lost_ = true;
    const auto aside = file_.set_aside();
    if (!aside) return aside.error();
    report_ = *std::exchange(damage_, std::nullopt) + ". The file was renamed to " + *aside +
              ". The server makes a new checkpoint, from the log or with the leader's help; check "
              "the disk";
    return {};
  }

  storage::OpenResult<storage::OpenedLog> open_log(
      storage::AdoptedSnapshot snapshot = storage::AdoptedSnapshot::stored) {
    storage::LogOptions options = options_.log;
    options.level = label_.level;
    return storage::Log::open(files_, options_.log_dir, options_.server, label_.at, options,
                              snapshot);
  }

  wire::Result<void> install_adopted() {
    const auto adopted = storage::Log::adopted_snapshot(files_, options_.log_dir, options_.server);
    if (!adopted) return log_error(adopted.error());
    if (!*adopted || !stored_ || stored_->at != **adopted) return {};
    if (auto aside = set_aside_if_damaged(); !aside) return aside;
    if (auto installed = incoming_.install(file_.path()); !installed) return installed;
    return load_checkpoint();
  }

  wire::Error unknown_version(const wire::Error& why) const {
    return {why.code, why.message + ". Nothing was changed. This is " + options_.log.program};
  }

  wire::Error log_error(const storage::OpenError& error) const {
    if (error.reason != storage::OpenError::Reason::unknown_version) {
      return {wire::ErrorCode::system_error, error.message};
    }
    return {wire::ErrorCode::unimplemented, error.message + ". This is " + options_.log.program};
  }

  wire::Error refusal(const std::string& what) const {
    return {wire::ErrorCode::system_error,
            file_.path() + ": the checkpoint " + what +
                ": check dataDir, and the id of this server. Nothing was changed"};
  }

  storage::FileSystem& files_;
  const DataOptions& options_;
  storage::Checkpoint file_;
  storage::Checkpoint incoming_;
  std::unique_ptr<session::Service> service_;
  storage::CheckpointLabel label_;
  std::optional<storage::CheckpointLabel> stored_;  // of `incoming_`
  std::optional<std::string> damage_;               // of `file_`, until it is set aside
  std::string report_;
  bool lost_ = false;
};

}  // namespace

std::string checkpoint_path(const std::string& data_dir) { return data_dir + "/checkpoint"; }

wire::Result<RecoveredState> recover_state(storage::FileSystem& files, const DataOptions& options) {
  return StartupRecovery(files, options).run();
}

}  // namespace server
