// The part of a compiled network that is the same for all networks: queues of spikes in flight, the order of edges, stepping.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <vector>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

using std::size_t;

template <typename T> static inline int int_(T value) { return (int)value; }
template <> inline int int_(bool value) { return value ? 1 : 0; }

#define COSIM_NOINLINE __attribute__((noinline))
// The number of the first byte in memory that has a bit set, of a word in which one has.
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define COSIM_FIRST_BYTE(word) (__builtin_ctzll(word) / 8)
#else
#error "the order of bytes in a word is not that of the machines that this was written for"
#endif

namespace cosim
{
using namespace std;

const size_t few = 64;    // neighbours whose threshold is looked at together
const size_t many = 1024; // neighbours whose variables fit the fastest cache
const size_t some = 64;    // of these so many at most are treated one by one

const uint64_t all_blocks = ((uint64_t)1 << many/few) - 1; // of many neighbours
const uint64_t ones = 0x0101010101010101u; // flags that are all 1

// Call `use` with the place of every flag in [first, end) that is not `common`, in order. Flags are 0 or 1.
template <typename Use> static inline void each_other(const char *flags, size_t first, size_t end, char common, Use use)
{
    const uint64_t usual = common ? ones : 0;
    uint64_t word;
    for (; first + sizeof word <= end; first += sizeof word)
    {
        memcpy(&word, flags + first, sizeof word);
        for (uint64_t other = word ^ usual; other; other &= other - 1)
            use(first + COSIM_FIRST_BYTE(other));
    }
    for (; first < end; first++)
        if (flags[first] != common)
            use(first);
}

// How many of the flags in [first, end), `many` at most, are 0; their places, if these are no more than `some`.
static inline size_t unset(const char *flags, size_t first, size_t end, size_t *places)
{
    static_assert(many/sizeof(uint64_t) < 256, "every byte of a word has room for the sum of its flags");
    uint64_t sum = 0, word;
    size_t i = first, found = 0;
    for (; i + sizeof word <= end; i += sizeof word)
    {
        memcpy(&word, flags + i, sizeof word);
        sum += word;
    }
    const uint64_t pairs = (sum & 0x00ff00ff00ff00ffu) + (sum >> 8 & 0x00ff00ff00ff00ffu);
    size_t set = pairs*0x0001000100010001u >> 48;
    for (; i < end; i++)
        set += flags[i];
    const size_t others = end - first - set;
    if (others && others <= some)
        each_other(flags, first, end, 1, [&](size_t place) { places[found++] = place; });
    return others;
}

// Blocks [first, last).
struct Blocks
{
    size_t first, last;
};

// Take the first run of neighbouring blocks out of a set of them, which is not empty.
static inline Blocks next(uint64_t &blocks)
{
    const size_t first = __builtin_ctzll(blocks), last = first + __builtin_ctzll(~(blocks >> first));
    blocks &= ~(uint64_t)0 << last;
    return {first, last};
}

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

// What delivery reads of an edge, side by side: its target, and where in tables its parameters are. See packed.py.
struct Edge
{
    int32_t post;
    uint16_t code[2];
};

// The values of a parameter that edges have by code; null where they have it otherwise.
struct Table
{
    const void *values = nullptr;
    int32_t place = 0;
};

// The targets of synapses: an array, or in the edges.
struct Targets
{
    const int32_t *plain;
    const Edge *edges;
    Targets(const int32_t *plain, const Edge *edges) : plain(plain), edges(edges) {}
    int32_t operator[](size_t synapse) const { return edges ? edges[synapse].post : plain[synapse]; }
};

// A parameter of synapses: one number each, one for all, or by code in the edges.
template <typename T> struct Column
{
    const T *values;
    size_t mask;
    const Edge *edges;
    int32_t place;
    Column(const T *values, size_t size, const Edge *edges, const Table &table)
        : values(table.values ? (const T *)table.values : values), mask(size == 1 ? 0 : ~(size_t)0),
          edges(table.values ? edges : nullptr), place(table.place)
    {
    }
    T operator[](size_t synapse) const { return values[edges ? edges[synapse].code[place] : synapse & mask]; }
};

// A row: the entries from `start` to the next row's, delivered `delay` steps after the spike.
struct Row
{
    int32_t start, delay;
};

const size_t ahead = 32; // rows between asking for memory and using it
const int32_t spikes_ahead = 8;

// Ask for the beginning of what lies from `first` on.
template <typename T> static inline void prefetch(const T *first, int32_t length)
{
    const char *at = (const char *)((uintptr_t)first & ~(uintptr_t)63);
    const char *end = (const char *)(first + length);
    for (int line = 0; line < 4 && at < end; line++, at += 64)
        __builtin_prefetch(at);
}

template <typename T> static inline void prefetch(const T *array, const Run &run)
{
    prefetch(array + run.begin, run.end - run.begin);
}

template <typename T> static inline void prefetch(const Column<T> &column, const Run &run)
{
    if (column.mask && !column.edges)
        prefetch(column.values, run);
}

static inline void prefetch(const Targets &targets, const Run &run)
{
    if (targets.edges)
        prefetch(targets.edges, run);
    else
        prefetch(targets.plain, run);
}

// Spikes in flight of one pathway. The synapses of a source that share a delay are one row: a run of entries. What is stored
// for a spike are its rows, not its synapses. Rows of one slot lie in the order in which they were pushed: by step of the
// spike, source, target; the order in which Brian2's own queue delivers single synapses.
struct Queue
{
    const int32_t *first = nullptr; // rows of source s: [first[s], first[s + 1])
    const Row *rows = nullptr;      // all rows, and one more for the end of the last
    const int32_t *order = nullptr; // entry -> synapse; null where they are the same
    vector<vector<Run>> slots = vector<vector<Run>>(1);
    size_t now = 0;
    int32_t group = -1; // of sources whose spikes come through the exchange; -1 where they are pushed as they happen

    vector<Run> &due() { return slots[now]; }

    void advance()
    {
        slots[now].clear();
        now = now + 1 == slots.size() ? 0 : now + 1;
    }

    // Nothing is in flight.
    void clear()
    {
        for (auto &slot : slots)
            slot.clear();
        now = 0;
    }

    // What spikes of the last steps have in flight: `ages` steps before the next step; they come by step and source.
    void push_late(const int32_t *sources, const int32_t *ages, int64_t count)
    {
        if (!rows)
            return;
        for (int64_t k = 0; k < count; k++)
        {
            if (k + 2*spikes_ahead < count)
                __builtin_prefetch(first + sources[k + 2*spikes_ahead]);
            if (k + spikes_ahead < count)
                prefetch(rows + first[sources[k + spikes_ahead]], 16);
            const Row *end = rows + first[sources[k] + 1];
            for (const Row *row = rows + first[sources[k]]; row < end; row++)
            {
                if (row->delay < ages[k])
                    continue;
                size_t slot = now + row->delay - ages[k];
                if (slot >= slots.size())
                    slot -= slots.size();
                slots[slot].push_back({row[0].start, row[1].start});
            }
        }
    }

    void push(const int32_t *sources, int32_t count)
    {
        if (!rows || group >= 0)
            return;
        for (int32_t k = 0; k < count; k++)
        {
            // sources are anywhere in memory: ask for their rows some spikes ahead
            if (k + 2*spikes_ahead < count)
                __builtin_prefetch(first + sources[k + 2*spikes_ahead]);
            if (k + spikes_ahead < count)
                prefetch(rows + first[sources[k + spikes_ahead]], 16);
            const Row *row = rows + first[sources[k]];
            const Row *end = rows + first[sources[k] + 1];
            for (; row < end; row++)
            {
                size_t slot = now + row->delay;
                if (slot >= slots.size())
                    slot -= slots.size();
                slots[slot].push_back({row[0].start, row[1].start});
            }
        }
    }
};

// The spikes that may still be on their way: those of the last `longest` steps, by step and global id. What is in flight
// follows from them and the edges, so they are all that a snapshot needs.
struct History
{
    int64_t longest = 0; // delay of all queues
    vector<int64_t> steps;
    vector<int32_t> ids;
    size_t begin = 0; // what lies before is too old

    void add(const vector<int64_t> &new_steps, const vector<int32_t> &new_ids, int64_t now)
    {
        if (!longest)
            return;
        steps.insert(steps.end(), new_steps.begin(), new_steps.end());
        ids.insert(ids.end(), new_ids.begin(), new_ids.end());
        while (begin < steps.size() && steps[begin] + longest < now)
            begin++;
        // moved to the front only when that is less than what has come and gone since
        if (2*begin > steps.size())
        {
            steps.erase(steps.begin(), steps.begin() + begin);
            ids.erase(ids.begin(), ids.begin() + begin);
            begin = 0;
        }
    }
};

// A neuron whose spikes come through the exchange: its group, and its place in the group's list of such neurons.
struct Source
{
    int32_t group, place;
};

// The exchange of spikes with other ranks. A spike is one number: its step, and in the low 32 bits the receiver's number for
// the neuron.
struct Exchange
{
    const int32_t *ids = nullptr;    // own spiking neuron -> global id
    const int64_t *first = nullptr;  // own neuron -> its receivers: [first[n], first[n + 1])
    const int32_t *rank = nullptr, *number = nullptr;
    vector<vector<int64_t>> out;     // by rank
    const Source *source = nullptr;                   // by number; null where all are of one group, at their number
    vector<vector<int32_t>> sources, ages;            // of what came in, by group
    vector<int64_t> in, counts;

    void send(int32_t neuron, int64_t step)
    {
        for (int64_t k = first[neuron]; k < first[neuron + 1]; k++)
            out[rank[k]].push_back((step << 32) | number[k]);
    }
};

struct Context
{
    vector<void *> arrays;
    vector<int64_t> sizes;
    vector<Queue> queues;
    vector<const uint8_t *> intact; // per object that joins groups: 0 where an edge was cut; null where none was
    vector<const Edge *> edges;     // per object that joins groups: its edges packed; null where they are not
    vector<Table> tables;           // per array
    vector<const int32_t *> ids;    // per spiking group: global id of each neuron, or its number among the own ones
    History history;
    Exchange exchange;
    bool sort = false;              // ids of one step do not ascend by themselves
    vector<int64_t> spike_steps;
    vector<int32_t> spike_ids;
    int64_t steps = 0;               // of one tick
    int64_t room = 0;                // number of spikes that the caller's arrays hold
    int64_t *steps_out = nullptr;
    int32_t *ids_out = nullptr;
};

template <typename T> static inline T *array(Context &context, size_t index) { return (T *)context.arrays[index]; }

// Sorted runs, one after another, become one; returns the length.
static int64_t merge_runs(int64_t *numbers, const int64_t *counts, int64_t n_runs)
{
    vector<int64_t> ends(1, 0);
    for (int64_t run = 0; run < n_runs; run++)
        if (counts[run])
            ends.push_back(ends.back() + counts[run]);
    while (ends.size() > 2)
    {
        vector<int64_t> merged(1, 0);
        for (size_t k = 2; k < ends.size(); k += 2)
        {
            inplace_merge(numbers + ends[k - 2], numbers + ends[k - 1], numbers + ends[k]);
            merged.push_back(ends[k]);
        }
        if (ends.size() % 2 == 0)
            merged.push_back(ends.back());
        ends.swap(merged);
    }
    return ends.back();
}

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
