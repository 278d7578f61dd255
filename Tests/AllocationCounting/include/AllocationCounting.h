// Counts the allocations of each thread, for tests of code that must not allocate.
#ifndef ALLOCATION_COUNTING_H
#define ALLOCATION_COUNTING_H

/// The number of allocations that the calling thread has made so far; -1 where they can't be counted.
long allocation_count(void);

#endif
