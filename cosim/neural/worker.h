// Ticks in a thread of the library, so that their caller can do something else meanwhile. Follows interface.h.
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#ifdef __linux__
#include <pthread.h>
#include <sched.h>
#endif

namespace cosim
{
struct Worker
{
    enum State { idle, asked, done, over };

    Context *context;
    std::atomic<int> state{idle};
    std::atomic<int> core{-1}; // on which the thread was last seen
    int64_t found = 0;         // spikes of the last tick
    double seconds = 0;        // of all ticks
    std::mutex mutex;
    std::condition_variable changed;
    std::thread thread;

    explicit Worker(Context *c) : context(c), thread([this] { loop(); }) {}

    ~Worker()
    {
        become(over);
        thread.join();
    }

    void become(int next)
    {
        {
            std::lock_guard<std::mutex> hold(mutex);
            state = next;
        }
        changed.notify_all();
    }

    // Look for a while before going to sleep: to be woken takes longer than most waits.
    template <typename Ready, typename Meanwhile> void wait(Ready ready, Meanwhile meanwhile)
    {
        const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(2);
        while (!ready() && std::chrono::steady_clock::now() < end)
        {
            meanwhile();
            std::this_thread::yield();
        }
        std::unique_lock<std::mutex> hold(mutex);
        changed.wait(hold, ready);
    }

    void loop()
    {
        for (;;)
        {
            wait([this] { return state == asked || state == over; }, [this] { seen(); });
            if (state == over)
                return;
            const auto begin = std::chrono::steady_clock::now();
            found = cosim_tick(context);
            seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
            become(done);
        }
    }

#ifdef __linux__
    void seen() { core = sched_getcpu(); }

    // Linux may put the thread on the core of its caller and leave it there for tens of ticks, one after the other with
    // what was meant to run beside it: send it to any other core that the caller may use.
    void apart()
    {
        const int here = sched_getcpu();
        if (here < 0 || core != here)
            return;
        cpu_set_t allowed;
        if (sched_getaffinity(0, sizeof allowed, &allowed) != 0 || CPU_COUNT(&allowed) < 2)
            return;
        CPU_CLR(here, &allowed);
        pthread_setaffinity_np(thread.native_handle(), sizeof allowed, &allowed);
        core = -1;
    }
#else
    void seen() {}
    void apart() {}
#endif
};
} // namespace cosim

extern "C"
{
    cosim::Worker *cosim_worker(Context *context) { return new cosim::Worker(context); }

    void cosim_worker_close(cosim::Worker *worker) { delete worker; }

    void cosim_begin(cosim::Worker *worker)
    {
        worker->apart();
        worker->become(cosim::Worker::asked);
    }

    // The number of spikes, as cosim_tick; -1 while the tick is not done.
    int64_t cosim_ended(cosim::Worker *worker, double *seconds)
    {
        if (worker->state != cosim::Worker::done)
            return -1;
        *seconds = worker->seconds;
        return worker->found;
    }

    // The same, when it is done.
    int64_t cosim_end(cosim::Worker *worker, double *seconds)
    {
        worker->wait([worker] { return worker->state == cosim::Worker::done; }, [] {});
        return cosim_ended(worker, seconds);
    }
}
