// What Python calls. Follows the generated code, which defines COSIM_STEP, COSIM_SPACES (array number and N + 1 of each spiking
// group) and the numbers of the clock's arrays.
using cosim::Context;
using cosim::Queue;
using cosim::Run;

// Integrate n steps and note the spikes.
static void cosim_integrate(Context &c, int64_t n)
{
    cosim::Flush flush;
    cosim::Exchange &exchange = c.exchange;
    int64_t *timestep = cosim::array<int64_t>(c, COSIM_TIMESTEP);
    double *t = cosim::array<double>(c, COSIM_T);
    const double dt = *cosim::array<double>(c, COSIM_DT);
    for (int64_t k = 0; k < n; k++)
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
        if (exchange.ids)
            for (size_t i = before; i < c.spike_ids.size(); i++)
            {
                exchange.send(c.spike_ids[i], *timestep);
                c.spike_ids[i] = exchange.ids[c.spike_ids[i]];
            }
        c.spike_steps.resize(c.spike_ids.size(), *timestep);
        *timestep += 1;
        *t = *timestep * dt;
    }
}

extern "C"
{
    Context *cosim_open(void **arrays, const int64_t *sizes, int64_t n_arrays, int64_t n_queues, int64_t n_objects)
    {
        Context *context = new Context();
        context->arrays.assign(arrays, arrays + n_arrays);
        context->sizes.assign(sizes, sizes + n_arrays);
        context->queues.resize(n_queues);
        context->intact.assign(n_objects, nullptr);
        context->edges.assign(n_objects, nullptr);
        context->tables.resize(n_arrays);
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
        context->history.longest = std::max(context->history.longest, n_slots - 1);
    }

    void cosim_edges(Context *context, int64_t object, const cosim::Edge *edges) { context->edges[object] = edges; }

    void cosim_table(Context *context, int64_t array, int32_t place, const void *values)
    {
        context->tables[array].values = values;
        context->tables[array].place = place;
    }

    // Number the values of a column, to the bit, in the order in which they come: writes the numbers into edges, and the table.
    // Returns how many there are, or -1 if they are more than 2^16.
    int64_t cosim_encode(int64_t n, const double *values, cosim::Edge *edges, int32_t place, double *table)
    {
        const size_t size = 1 << 18; // of a hash table with room to spare
        const int64_t most = 1 << 16;
        std::vector<int32_t> number(size, -1);
        std::vector<uint64_t> keys(size);
        int64_t count = 0;
        uint64_t last = 0;
        int32_t code = -1;
        for (int64_t k = 0; k < n; k++)
        {
            uint64_t key;
            std::memcpy(&key, values + k, sizeof key);
            if (code < 0 || key != last)
            {
                size_t at = (key*0x9E3779B97F4A7C15ull) >> 46;
                while (number[at] >= 0 && keys[at] != key)
                    at = (at + 1) & (size - 1);
                if (number[at] < 0)
                {
                    if (count == most)
                        return -1;
                    keys[at] = key;
                    number[at] = (int32_t)count;
                    table[count++] = values[k];
                }
                code = number[at];
                last = key;
            }
            edges[k].code[place] = (uint16_t)code;
        }
        return count;
    }

    void cosim_intact(Context *context, int64_t object, const uint8_t *intact) { context->intact[object] = intact; }

    void cosim_ids(Context *context, const int32_t *const *ids, int64_t n_groups, int32_t sort)
    {
        context->ids.assign(ids, ids + n_groups);
        context->sort = sort;
    }

    void cosim_plan(Context *context, int64_t steps, int64_t room, int64_t *spike_steps, int32_t *spike_ids)
    {
        context->steps = steps;
        context->room = room;
        context->steps_out = spike_steps;
        context->ids_out = spike_ids;
    }

    // Copy the last call's spikes; cosim_tick does so itself where there is room for all.
    void cosim_spikes(Context *context, int64_t *steps, int32_t *ids)
    {
        std::copy(context->spike_steps.begin(), context->spike_steps.end(), steps);
        std::copy(context->spike_ids.begin(), context->spike_ids.end(), ids);
    }

    // Integrate n steps of a tick, the first or the last ones perhaps; returns the number of the tick's spikes, which are copied
    // to the caller's arrays at its end if they fit.
    int64_t cosim_steps(Context *context, int64_t n, int32_t begins, int32_t ends)
    {
        Context &c = *context;
        if (begins)
        {
            c.spike_steps.clear();
            c.spike_ids.clear();
        }
        cosim_integrate(c, n);
        const int64_t found = (int64_t)c.spike_ids.size();
        if (ends)
        {
            c.history.add(c.spike_steps, c.spike_ids, *cosim::array<int64_t>(c, COSIM_TIMESTEP));
            if (found <= c.room)
                cosim_spikes(context, c.steps_out, c.ids_out);
        }
        return found;
    }

    // Integrate one tick as planned.
    int64_t cosim_tick(Context *context) { return cosim_steps(context, context->steps, 1, 1); }

    // Spikes leave through the exchange: see Exchange in engine.h. cosim_ids then gives numbers among the own neurons.
    void cosim_route(
        Context *context, int64_t n_ranks, const int32_t *ids, const int64_t *first, const int32_t *rank,
        const int32_t *number)
    {
        cosim::Exchange &exchange = context->exchange;
        exchange.ids = ids;
        exchange.first = first;
        exchange.rank = rank;
        exchange.number = number;
        exchange.out.assign(n_ranks, std::vector<int64_t>());
    }

    // What may come in.
    void cosim_sources(Context *context, int64_t n_groups, const cosim::Source *source)
    {
        cosim::Exchange &exchange = context->exchange;
        exchange.source = source;
        exchange.sources.resize(n_groups);
        exchange.ages.resize(n_groups);
    }

    void cosim_exchanged(Context *context, int64_t queue, int32_t group) { context->queues[queue].group = group; }

    void cosim_remember(Context *context, int64_t steps) { context->history.longest = steps; }

    // Write the messages to all ranks, each [number of spikes, largest such number, spikes ...] with room for so many. Returns the
    // largest; what does not fit is kept for cosim_rest.
    int64_t cosim_pack(Context *context, int64_t *messages, int64_t room)
    {
        std::vector<std::vector<int64_t>> &out = context->exchange.out;
        size_t largest = 0;
        for (const std::vector<int64_t> &one : out)
            largest = std::max(largest, one.size());
        for (std::vector<int64_t> &one : out)
        {
            messages[0] = (int64_t)one.size();
            messages[1] = (int64_t)largest;
            const size_t fits = std::min(one.size(), (size_t)room);
            std::copy(one.begin(), one.begin() + fits, messages + 2);
            one.erase(one.begin(), one.begin() + fits);
            messages += 2 + room;
        }
        return (int64_t)largest;
    }

    // The spikes to a rank that did not fit, of which the caller knows the number.
    void cosim_rest(Context *context, int64_t rank, int64_t *spikes)
    {
        std::vector<int64_t> &one = context->exchange.out[rank];
        std::copy(one.begin(), one.end(), spikes);
        one.clear();
    }

    // Deliver what came from every rank, one rank after another: merged by (step, number), which is (step, global id).
    void cosim_incoming(Context *context, int64_t n_ranks, const int64_t *counts, int64_t *spikes)
    {
        Context &c = *context;
        cosim::Exchange &exchange = c.exchange;
        cosim::merge_runs(spikes, counts, n_ranks);
        const int64_t now = *cosim::array<int64_t>(c, COSIM_TIMESTEP);
        for (size_t group = 0; group < exchange.sources.size(); group++)
        {
            exchange.sources[group].clear();
            exchange.ages[group].clear();
        }
        int64_t n = 0;
        for (int64_t rank = 0; rank < n_ranks; rank++)
            n += counts[rank];
        const int64_t soon = 16;
        for (int64_t k = 0; k < n; k++)
        {
            const int32_t number = (int32_t)spikes[k];
            if (exchange.source && k + soon < n)
                __builtin_prefetch(exchange.source + (int32_t)spikes[k + soon]);
            const cosim::Source source = exchange.source ? exchange.source[number] : cosim::Source{0, number};
            exchange.sources[source.group].push_back(source.place);
            exchange.ages[source.group].push_back((int32_t)(now - (spikes[k] >> 32)));
        }
        for (Queue &queue : c.queues)
            if (queue.group >= 0)
                queue.push_late(
                    exchange.sources[queue.group].data(), exchange.ages[queue.group].data(),
                    (int64_t)exchange.sources[queue.group].size());
    }

    // The same from the messages as they came, if every rank's spikes fit into its own. Returns the largest number of spikes of any
    // message in the whole exchange.
    int64_t cosim_unpack(Context *context, int64_t n_ranks, const int64_t *messages, int64_t room)
    {
        cosim::Exchange &exchange = context->exchange;
        int64_t largest = 0;
        bool fits = true;
        for (int64_t rank = 0; rank < n_ranks; rank++)
        {
            const int64_t *message = messages + rank*(2 + room);
            largest = std::max(largest, message[1]);
            fits = fits && message[0] <= room;
        }
        if (!fits)
            return largest;
        exchange.in.clear();
        exchange.counts.clear();
        for (int64_t rank = 0; rank < n_ranks; rank++)
        {
            const int64_t *message = messages + rank*(2 + room);
            exchange.in.insert(exchange.in.end(), message + 2, message + 2 + message[0]);
            exchange.counts.push_back(message[0]);
        }
        cosim_incoming(context, n_ranks, exchange.counts.data(), exchange.in.data());
        return largest;
    }

    // The tick's spikes as single numbers, step and global id, as far as there is room; returns their number.
    int64_t cosim_numbers(Context *context, int64_t *numbers, int64_t room)
    {
        const int64_t n = (int64_t)context->spike_ids.size();
        for (int64_t k = 0; k < std::min(n, room); k++)
            numbers[k] = (context->spike_steps[k] << 32) | context->spike_ids[k];
        return n;
    }

    // Such numbers of several ranks, one rank after another: merged, and taken apart.
    void cosim_merge(int64_t n_ranks, const int64_t *counts, int64_t *numbers, int64_t *steps, int32_t *ids)
    {
        const int64_t n = cosim::merge_runs(numbers, counts, n_ranks);
        for (int64_t k = 0; k < n; k++)
        {
            steps[k] = numbers[k] >> 32;
            ids[k] = (int32_t)numbers[k];
        }
    }

    // The spikes of the last steps, as many as the longest delay; without `steps` only their number.
    int64_t cosim_history(Context *context, int64_t *steps, int32_t *ids)
    {
        const cosim::History &history = context->history;
        if (steps)
        {
            std::copy(history.steps.begin() + history.begin, history.steps.end(), steps);
            std::copy(history.ids.begin() + history.begin, history.ids.end(), ids);
        }
        return (int64_t)(history.steps.size() - history.begin);
    }

    // The inverse of cosim_history; the queues are empty afterwards, until cosim_push_again fills them.
    void cosim_set_history(Context *context, int64_t n, const int64_t *steps, const int32_t *ids)
    {
        context->history.steps.assign(steps, steps + n);
        context->history.ids.assign(ids, ids + n);
        context->history.begin = 0;
        for (Queue &queue : context->queues)
            queue.clear();
    }

    // Put back into a queue what spikes of the last steps have in flight: how many steps ago, and who (in the queue's group).
    void cosim_push_again(Context *context, int64_t index, int64_t n, const int32_t *ages, const int32_t *sources)
    {
        context->queues[index].push_late(sources, ages, n);
    }

    // Edges put into the order (source, delay, target), with columns of numbers that belong to them; those alike in all three
    // keep their order. They are moved in one pass to the end of their source's list, which needs no more than a line of
    // memory per source; then every list is sorted by itself. (Most are: edges come by target, projection by projection.)
    void cosim_arrange(
        int64_t n, const int32_t *pre, const int32_t *delay, const int32_t *post, int64_t n_pre, int64_t n_delay,
        int64_t n_columns, const double *const *columns, int32_t *new_pre, int32_t *new_delay, int32_t *new_post,
        double *const *new_columns)
    {
        std::vector<int64_t> place(n_pre + 1, 0);
        for (int64_t k = 0; k < n; k++)
            place[pre[k] + 1]++;
        for (int64_t source = 0; source < n_pre; source++)
        {
            place[source + 1] += place[source];
            std::fill(new_pre + place[source], new_pre + place[source + 1], (int32_t)source);
        }
        std::vector<int32_t> at(place.begin(), place.end());
        const int64_t soon = 24;
        for (int64_t k = 0; k < n; k++)
        {
            if (k + soon < n)
            {
                const int32_t next = at[pre[k + soon]];
                __builtin_prefetch(new_post + next, 1);
                if (n_delay > 1)
                    __builtin_prefetch(new_delay + next, 1);
                for (int64_t c = 0; c < n_columns; c++)
                    __builtin_prefetch(new_columns[c] + next, 1);
            }
            const int32_t to = at[pre[k]]++;
            new_post[to] = post[k];
            if (n_delay > 1)
                new_delay[to] = delay[k];
            for (int64_t c = 0; c < n_columns; c++)
                new_columns[c][to] = columns[c][k];
        }
        if (n_delay <= 1)
            std::copy(delay, delay + n, new_delay);
        if (n_delay <= 1 && std::is_sorted(post, post + n))
            return;
        std::vector<int32_t> order, integers;
        std::vector<double> numbers;
        for (int64_t source = 0; source < n_pre; source++)
        {
            const int64_t begin = place[source], size = place[source + 1] - begin;
            int32_t *d = new_delay + begin, *p = new_post + begin;
            const auto earlier = [d, p](int32_t a, int32_t b) { return d[a] != d[b] ? d[a] < d[b] : p[a] < p[b]; };
            int64_t sorted = 1;
            while (sorted < size && !earlier(sorted, sorted - 1))
                sorted++;
            if (sorted >= size)
                continue;
            order.resize(size);
            for (int64_t k = 0; k < size; k++)
                order[k] = (int32_t)k;
            std::stable_sort(order.begin(), order.end(), earlier);
            integers.assign(p, p + size);
            for (int64_t k = 0; k < size; k++)
                p[k] = integers[order[k]];
            integers.assign(d, d + size);
            for (int64_t k = 0; k < size; k++)
                d[k] = integers[order[k]];
            for (int64_t c = 0; c < n_columns; c++)
            {
                double *column = new_columns[c] + begin;
                numbers.assign(column, column + size);
                for (int64_t k = 0; k < size; k++)
                    column[k] = numbers[order[k]];
            }
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
