#pragma once

#include <string>

namespace ser {

/// From here on Ctrl-C (SIGINT), SIGTERM and SIGHUP end the program with a word on stderr, without
/// half a line on stdout and without hidden files. A thread waits for them, so no system call of
/// another is interrupted. Files past the size that the user allows (SIGXFSZ) fail as on a full
/// disk; a file that shrinks while it is read (SIGBUS) ends the program with a sentence.
/// To be called before other threads are started.
void watch_signals(const std::string& program);

/// From here on the first such signal only sets what `interrupted()` tells; a second one ends the
/// program.
void catch_interrupts();

bool interrupted();

/// From here on a program that such a signal ends says this instead of "interrupted"; nothing where
/// it is empty.
void say_when_ended(const std::string& words);

}  // namespace ser
