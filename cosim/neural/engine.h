// The part of a compiled network that is the same for all networks: queues of spikes in flight, the order of edges, stepping.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstddef>
#include <cstdlib>
#include <limits>
#include <vector>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

using std::size_t;

template <typename T> static inline int int_(T value) { return (int)value; }
template <> inline int int_(bool value) { return value ? 1 : 0; }

namespace cosim
{
using namespace std;

// Flush-to-zero in a scope: denormal results and operands count as zero. As in denormals.py.
struct Flush
{
#if defined(__x86_64__)
    unsigned before;
    Flush() : before(_mm_getcsr()) { _mm_setcsr(before | 0x8040u); }
    ~Flush() { _mm_setcsr(before); }
#elif defined(__aarch64__) && defined(__linux__)
    uint64_t before;
    Flush()
    {
        __asm__ volatile("mrs %0, fpcr" : "=r"(before));
        __asm__ volatile("msr fpcr, %0" : : "r"(before | (1ull << 24)));
    }
    ~Flush() { __asm__ volatile("msr fpcr, %0" : : "r"(before)); }
#endif
};

// Entries [begin, end) of a queue's list of synapses, delivered one after another.
struct Run
{
    int32_t begin, end;
};

const size_t ahead = 6; // rows between asking for memory and using it

template <typename T> static inline void prefetch(const T *first, int32_t length)
{
    const char *at = (const char *)first;
    const char *end = (const char *)(first + length);
    for (int line = 0; line < 4 && at < end; line++, at += 64)
        __builtin_prefetch(at);
}

// Spikes in flight of one pathway. The synapses of a source that share a delay are one row: a run of entries. What is stored
// for a spike are its rows, not its synapses. Rows of one slot lie in the order in which they were pushed: by step of the
// spike, source, target; the order in which Brian2's own queue delivers single synapses.
struct Queue
{
    int64_t n_sources = 0;
    const int64_t *rows = nullptr;   // rows of source s: [rows[s], rows[s + 1])
    const int32_t *delays = nullptr; // of each row, in steps
    const int32_t *starts = nullptr; // row r holds the entries [starts[r], starts[r + 1])
    const int32_t *order = nullptr;  // entry -> synapse; null where they are the same
    vector<vector<Run>> slots = vector<vector<Run>>(1);
    size_t now = 0;

    vector<Run> &due() { return slots[now]; }

    void advance()
    {
        slots[now].clear();
        now = now + 1 == slots.size() ? 0 : now + 1;
    }

    void push(const int32_t *sources, int32_t count)
    {
        if (!rows)
            return;
        for (int32_t k = 0; k < count; k++)
        {
            const int64_t last = rows[sources[k] + 1];
            for (int64_t row = rows[sources[k]]; row < last; row++)
            {
                size_t slot = now + delays[row];
                if (slot >= slots.size())
                    slot -= slots.size();
                slots[slot].push_back({starts[row], starts[row + 1]});
            }
        }
    }
};

struct Context
{
    vector<void *> arrays;
    vector<int64_t> sizes;
    vector<Queue> queues;
    vector<const uint8_t *> intact; // per object that joins groups: 0 where an edge was cut; null where none was
    vector<const int32_t *> ids;    // per spiking group: global id of each neuron
    bool sort = false;              // ids of one step do not ascend by themselves
    vector<int64_t> spike_steps;
    vector<int32_t> spike_ids;
};

template <typename T> static inline T *array(Context &context, size_t index) { return (T *)context.arrays[index]; }

// Stable counting sort of `from` by keys in [0, n_keys).
static void sort_by(const int32_t *keys, int64_t n_keys, const vector<int32_t> &from, vector<int32_t> &to)
{
    vector<int64_t> place(n_keys + 1, 0);
    for (int32_t edge : from)
        place[keys[edge] + 1]++;
    for (int64_t key = 0; key < n_keys; key++)
        place[key + 1] += place[key];
    for (int32_t edge : from)
        to[place[keys[edge]]++] = edge;
}
} // namespace cosim
