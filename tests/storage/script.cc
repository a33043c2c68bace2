#include "tests/storage/script.h"

#include <memory>
#include <utility>

namespace storage::test {

zab::Txn Script::next(zab::Epoch epoch, std::size_t bytes) {
  const zab::Zxid last = state_.history.last().zxid;
  const zab::Zxid zxid = last.epoch == epoch ? last.next() : zab::Zxid{epoch, 1};
  std::string payload = "payload " + std::to_string(++payloads_) + ' ';
  while (payload.size() < bytes) payload += static_cast<char>(payload.size() * 7 + payloads_);
  payload.resize(bytes);
  return state_.history.append(zxid, std::make_shared<const wire::Bytes>(std::move(payload)));
}

void Script::accept(std::uint32_t epoch, std::uint32_t leader) {
  state_.accepted_epoch = {epoch};
  state_.accepted_leader = {leader};
  effects_.emplace_back(zab::AcceptEpoch{{epoch}, {leader}});
}

void Script::append(std::size_t count, std::size_t bytes) {
  while (count-- > 0) effects_.emplace_back(zab::Append{next(state_.current_epoch, bytes)});
}

void Script::adopt(zab::AdoptHistory adopted, std::size_t count, std::size_t bytes) {
  adopted.cluster = cluster;
  state_.cluster = cluster;
  state_.current_epoch = adopted.epoch;
  state_.damaged.reset();
  while (count-- > 0) adopted.txns.push_back(next(adopted.epoch, bytes));
  effects_.emplace_back(std::move(adopted));
}

void Script::adopt(std::uint32_t epoch, zab::Zxid truncate_to, std::size_t count,
                   std::size_t bytes) {
  state_.history.truncate_after(truncate_to);
  adopt({{epoch}, {}, state_.history.last(), false, {}}, count, bytes);
}

void Script::adopt(std::uint32_t epoch) { adopt(epoch, state_.history.last().zxid, 0, 0); }

void Script::adopt_snapshot(std::uint32_t epoch, zab::Point at, std::size_t count,
                            std::size_t bytes) {
  state_.history = zab::History(at);
  adopt({{epoch}, {}, at, true, {}}, count, bytes);
}

void Script::found() {
  state_.founded = true;
  effects_.emplace_back(zab::MarkFounded{});
}

std::string describe(const zab::Durable& durable) {
  std::string text =
      "accepted " + std::to_string(durable.accepted_epoch.value) + " of " +
      zab::to_string(durable.accepted_leader) + ", current " +
      std::to_string(durable.current_epoch.value) +
      (durable.cluster.none() ? "" : ", cluster " + zab::to_string(durable.cluster)) +
      (durable.founded ? " founded" : "");
  if (durable.damaged) {
    text += ", damaged: reached " + wire::to_string(durable.damaged->last_zxid) + " in epoch " +
            std::to_string(durable.damaged->current_epoch.value);
  }
  const zab::History& history = durable.history;
  text += ": " + wire::to_string(history.base().zxid) + ' ';
  for (auto txn = history.after(history.base().zxid); txn != history.end(); ++txn) {
    text += ' ' + wire::to_string(txn->zxid) + '=' + wire::to_hex(txn->hash.low) + '/' +
            std::to_string(txn->payload->size());
  }
  return text;
}

std::vector<Step> full_script() {
  Script script;
  std::vector<Step> steps;
  const auto commit = [&] {
    auto effects = script.take_effects();
    steps.push_back({std::move(effects), describe(script.state()), script.state()});
  };
  script.accept(1, 2);
  commit();
  script.adopt(1);
  script.append(1, 0);
  commit();
  for (int i = 0; i < 3; ++i) {
    script.append(1, 700);
    commit();
  }
  script.found();
  script.append(5, 100);
  commit();
  script.append(2, 1500);  // epoch 3 truncates these
  commit();
  script.accept(2, 3);
  commit();
  script.accept(3, 3);
  script.adopt(3, {{1}, 8}, 9, 1200);  // longer than a segment
  script.append(1, 13);
  commit();
  script.append(1, 2000);
  commit();
  script.accept(4, 1);
  script.adopt(4, {{3}, 2}, 0, 0);
  commit();
  for (int i = 0; i < 4; ++i) {
    script.append(2, 300);
    commit();
  }
  return steps;
}

std::vector<Step> short_script() {
  Script script;
  std::vector<Step> steps;
  const auto commit = [&] {
    auto effects = script.take_effects();
    steps.push_back({std::move(effects), describe(script.state()), script.state()});
  };
  script.accept(1, 1);
  script.adopt(1);
  commit();
  script.append(1, 20);
  commit();
  script.append(1, 3);
  script.accept(2, 3);
  commit();
  return steps;
}

OpenResult<OpenedLog> open(FileSystem& files, const LogOptions& options) {
  return open(files, {}, options);
}

OpenResult<OpenedLog> open(FileSystem& files, zab::Point applied, const LogOptions& options) {
  return Log::open(files, directory, self, applied, options);
}

Result<void> commit(Log& log, Script& script) {
  log.stage(script.take_effects());
  return log.commit();
}

std::string path_of(std::uint64_t sequence) { return directory + '/' + segment_name(sequence); }

bool mentions(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

Files files_of(const sim::SimFileSystem& disk) {
  Files files;
  for (const std::string& path : disk.paths()) files[path] = disk.contents(path);
  return files;
}

void plant(sim::SimFileSystem& disk, const Files& files) {
  for (const auto& [path, contents] : files) disk.plant(path, contents);
}

void flip_bit(sim::SimFileSystem& disk, std::uint64_t sequence, std::uint64_t offset) {
  std::string contents = disk.contents(path_of(sequence));
  contents.at(offset) = static_cast<char>(contents.at(offset) ^ 4);
  disk.plant(path_of(sequence), contents);
}

std::vector<zab::Persist> adopt_from_leader(const zab::Durable& damaged, zab::Zxid from,
                                            zab::Durable& then) {
  Script script(damaged);
  script.accept(damaged.accepted_epoch.value + 1, 3);
  script.adopt(damaged.accepted_epoch.value + 1, from, 2, 700);
  then = script.state();
  return script.take_effects();
}

std::size_t run_steps(FileSystem& files, const std::vector<Step>& steps, std::size_t first) {
  auto opened = open(files);
  if (!opened) return 0;
  std::size_t done = 0;
  for (std::size_t i = first; i < steps.size(); ++i) {
    opened->log.stage(steps[i].effects);
    if (!opened->log.commit()) break;
    ++done;
    if (i % 2 == 0 && !opened->log.prepare()) break;
    if (i % 5 == 0 && !opened->log.mark()) break;
  }
  return done;
}

}  // namespace storage::test
