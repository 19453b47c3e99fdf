#pragma once

namespace ser {

/// From here on the first Ctrl-C (or SIGTERM) only sets what `interrupted()` tells; a second one
/// ends the program at once.
void catch_interrupts();

bool interrupted();

}  // namespace ser
