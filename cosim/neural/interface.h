// What Python calls. Follows the generated code, which defines COSIM_STEP, COSIM_SPACES (array number and N + 1 of each spiking
// group) and the numbers of the clock's arrays.
using cosim::Context;
using cosim::Queue;
using cosim::Run;

extern "C"
{
    Context *cosim_open(void **arrays, const int64_t *sizes, int64_t n_arrays, int64_t n_queues, int64_t n_objects)
    {
        Context *context = new Context();
        context->arrays.assign(arrays, arrays + n_arrays);
        context->sizes.assign(sizes, sizes + n_arrays);
        context->queues.resize(n_queues);
        context->intact.assign(n_objects, nullptr);
        return context;
    }

    void cosim_close(Context *context) { delete context; }

    void cosim_queue(
        Context *context, int64_t index, const int32_t *first, const cosim::Row *rows, const int32_t *order,
        int64_t n_slots)
    {
        Queue &queue = context->queues[index];
        queue.first = first;
        queue.rows = rows;
        queue.order = order;
        queue.slots.assign(n_slots, std::vector<Run>());
        queue.now = 0;
    }

    void cosim_intact(Context *context, int64_t object, const uint8_t *intact) { context->intact[object] = intact; }

    void cosim_ids(Context *context, const int32_t *const *ids, int64_t n_groups, int32_t sort)
    {
        context->ids.assign(ids, ids + n_groups);
        context->sort = sort;
    }

    // Integrate `steps` steps; returns the number of spikes.
    int64_t cosim_advance(Context *context, int64_t steps)
    {
        cosim::Flush flush;
        Context &c = *context;
        int64_t *timestep = cosim::array<int64_t>(c, COSIM_TIMESTEP);
        double *t = cosim::array<double>(c, COSIM_T);
        const double dt = *cosim::array<double>(c, COSIM_DT);
        c.spike_steps.clear();
        c.spike_ids.clear();
        for (int64_t k = 0; k < steps; k++)
        {
            cosim_step(c);
            const size_t before = c.spike_ids.size();
            for (size_t group = 0; group < cosim_n_spaces; group++)
            {
                const size_t index = cosim_spaces[group];
                const int32_t *space = cosim::array<int32_t>(c, index);
                const int32_t count = space[c.sizes[index] - 1];
                const int32_t *ids = c.ids[group];
                for (int32_t i = 0; i < count; i++)
                    c.spike_ids.push_back(ids[space[i]]);
            }
            if (c.sort)
                std::sort(c.spike_ids.begin() + before, c.spike_ids.end());
            c.spike_steps.resize(c.spike_ids.size(), *timestep);
            *timestep += 1;
            *t = *timestep * dt;
        }
        return (int64_t)c.spike_ids.size();
    }

    const int64_t *cosim_spike_steps(Context *context) { return context->spike_steps.data(); }

    const int32_t *cosim_spike_ids(Context *context) { return context->spike_ids.data(); }

    // Events in flight as (steps until delivery, synapse), in the order of their delivery; without `due` only their number.
    int64_t cosim_flight(Context *context, int64_t index, int32_t *due, int32_t *synapse)
    {
        const Queue &queue = context->queues[index];
        int64_t n = 0;
        for (size_t d = 0; d < queue.slots.size(); d++)
            for (const Run &run : queue.slots[(queue.now + d) % queue.slots.size()])
                for (int32_t entry = run.begin; entry < run.end; entry++, n++)
                    if (due)
                    {
                        due[n] = (int32_t)d;
                        synapse[n] = queue.order ? queue.order[entry] : entry;
                    }
        return n;
    }

    void cosim_set_flight(Context *context, int64_t index, int64_t n, const int32_t *due, const int32_t *entries)
    {
        Queue &queue = context->queues[index];
        for (auto &slot : queue.slots)
            slot.clear();
        queue.now = 0;
        for (int64_t k = 0; k < n; k++)
        {
            std::vector<Run> &slot = queue.slots[due[k]];
            if (!slot.empty() && slot.back().end == entries[k])
                slot.back().end++;
            else
                slot.push_back({entries[k], entries[k] + 1});
        }
    }

    // The order (source, delay, target) of edges; those alike in all three keep their order.
    void cosim_order(
        int64_t n, const int32_t *pre, const int32_t *delay, const int32_t *post, int64_t n_pre, int64_t n_delay,
        int64_t n_post, int32_t *order)
    {
        std::vector<int32_t> from(n), to(n);
        for (int64_t k = 0; k < n; k++)
            from[k] = (int32_t)k;
        if (!std::is_sorted(post, post + n))
        {
            cosim::sort_by(post, n_post, from, to);
            from.swap(to);
        }
        if (n_delay > 1)
        {
            cosim::sort_by(delay, n_delay, from, to);
            from.swap(to);
        }
        cosim::sort_by(pre, n_pre, from, to);
        std::copy(to.begin(), to.end(), order);
    }
}
