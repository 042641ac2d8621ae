// Compiles the header's layout assertions.
#include "CSEV.h"
