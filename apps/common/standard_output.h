#pragma once

#include <functional>

namespace ser {

/// Has stdout written in whole lines from here on. Call before anything is printed.
void begin_stdout();

/// Hands what was printed to the system. Throws Error if it could not be written; a file behind
/// stdout then ends with its last whole line.
void flush_stdout();

/// Calls `print`, then `write_files`, which is called though stdout takes nothing any more: what
/// was worked for is not lost to a reader that leaves early, as `head` does, or to a full disk.
/// Only then does the program end as it would have: by SIGPIPE, or with the Error of
/// `flush_stdout`.
void print_then_write(const std::function<void()>& print, const std::function<void()>& write_files);

/// Cuts the part of a line that a file behind stdout took before there was no more room.
void take_back_half_line();

}  // namespace ser
