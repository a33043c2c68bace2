// The simulated file system, compiled into this library too: its own is linked with doctest.
#include "tests/support/sim_file_system.cc"
