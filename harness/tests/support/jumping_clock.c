// A library to preload into the program: its wall clock jumps between 1970 and 2106 at each reading.
// Code that measures time must read the monotonic clock.
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static time_t jump(void) {
    static int reading;
    return reading++ % 2 ? 0 : 0xffffffff;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    int status = (int)syscall(SYS_clock_gettime, clock, now);
    if (status == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
        now->tv_sec = jump();
    }
    return status;
}

int gettimeofday(struct timeval *now, void *zone) {
    (void)zone;
    now->tv_sec = jump();
    now->tv_usec = 0;
    return 0;
}

time_t time(time_t *now) {
    time_t seconds = jump();
    if (now) *now = seconds;
    return seconds;
}
