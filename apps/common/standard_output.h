#pragma once

namespace ser {

/// Has stdout written in whole lines from here on. Call before anything is printed.
void begin_stdout();

/// Hands what was printed to the system. Throws Error if it could not be written; a file behind
/// stdout then ends with its last whole line.
void flush_stdout();

/// Cuts the part of a line that a file behind stdout took before there was no more room.
void take_back_half_line();

}  // namespace ser
