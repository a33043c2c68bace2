#pragma once

#include <cstdint>
#include <string>
#include <string_view>

// The log messages of this process: spdlog's default logger, on standard output.
namespace server {

// From now on messages are written by a thread of their own: see LineWriter. Throws
// std::system_error if there is none.
void start_process_log();

// Waits until what was logged is written, for a second at most. Call it before the process ends.
// Messages of the level `critical` that cannot be written to standard output are written to
// standard error, if that can be done without waiting.
void finish_process_log();

// Logs `text` as `critical`, or writes it to standard error before `start_process_log`. Then
// finishes the log.
void log_final_message(const std::string& text);

// Logs a line that an operator has asked for, whatever the level.
void log_always(const std::string& text);

// `text` as one line: with spaces instead of line feeds, and as wire::terminal_text escapes it.
[[nodiscard]] std::string as_line(std::string text);

// Lines that were not written, since the start.
[[nodiscard]] std::uint64_t dropped_log_lines();

// Writes to standard error, unless that would wait for its reader. Safe in a signal handler.
void write_to_standard_error(std::string_view text);

// Waits as finish_process_log does, for half a second at most. Safe in a signal handler.
void wait_for_process_log();

}  // namespace server
