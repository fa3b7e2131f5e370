// Plays tapes. Follows the numbers of the operations (enum) and the functions of cosim.exact; ELEMENTWISE is one case per
// operation that works element by element. See cosim/tape/tape.py for what each operation does.
namespace tape
{
struct Op
{
    int32_t code;
    int32_t step_a, step_b, step_c; // 0: one number for all elements
    int64_t n;
    double *out;
    const double *a, *b, *c;
    int64_t *at;
    int64_t p, q;
};

// One loop for all, where speed is no matter: every further loop takes the compiler its time with each network.
template <typename F> __attribute__((optimize("no-tree-vectorize"))) static auto each(const Op &o, F f) -> decltype((void)f(0.0))
{
    for (int64_t i = 0; i < o.n; i++)
        o.out[i] = f(o.a[i]);
}

template <typename F> __attribute__((optimize("no-tree-vectorize"))) static auto each(const Op &o, F f) -> decltype((void)f(0.0, 0.0))
{
    for (int64_t i = 0; i < o.n; i++)
        o.out[i] = f(o.a[i * o.step_a], o.b[i * o.step_b]);
}

template <typename F> __attribute__((optimize("no-tree-vectorize"))) static auto each(const Op &o, F f) -> decltype((void)f(0.0, 0.0, 0.0))
{
    for (int64_t i = 0; i < o.n; i++)
        o.out[i] = f(o.a[i * o.step_a], o.b[i * o.step_b], o.c[i * o.step_c]);
}

// Loops that the compiler vectorises, by what is a number and what an array. `out` may be one of the operands: no element
// depends on another (ivdep).
template <typename F> static inline void fast(const Op &o, F f)
{
    const int64_t n = o.n;
    double *const out = o.out;
    const double *const a = o.a, *const b = o.b;
    const double one = *a, other = *b;
    if (o.step_a && o.step_b)
    {
#pragma GCC ivdep
        for (int64_t i = 0; i < n; i++)
            out[i] = f(a[i], b[i]);
    }
    else if (o.step_a)
    {
#pragma GCC ivdep
        for (int64_t i = 0; i < n; i++)
            out[i] = f(a[i], other);
    }
    else
    {
#pragma GCC ivdep
        for (int64_t i = 0; i < n; i++)
            out[i] = f(one, b[i]);
    }
}

static inline int64_t modulo(int64_t x, int64_t n)
{
    const int64_t m = x % n;
    return m < 0 ? m + n : m;
}
} // namespace tape

// as numpy's remainder: it has the sign of b
static inline double tape_mod(double a, double b)
{
    const double m = std::fmod(a, b);
    if (m == 0)
        return std::copysign(0.0, b);
    return (b < 0) != (m < 0) ? m + b : m;
}

extern "C" int64_t cosim_play(const tape::Op *ops, int64_t n_ops, int64_t tick, const int32_t *ids, int64_t n_ids)
{
    int64_t answer = 0;
    for (int64_t k = 0; k < n_ops; k++)
    {
        const tape::Op &o = ops[k];
        const int64_t n = o.n;
        double *const out = o.out;
        const double *const in = o.a;
        int64_t *const at = o.at;
        switch (o.code)
        {
            ELEMENTWISE
        case TAPE_gate:
            if (*o.b != 0)
                std::copy(in, in + n, out);
            else
                std::fill(out, out + n, 0.0);
            break;
        case TAPE_take:
            for (int64_t i = 0; i < n; i++)
                out[i] = in[at[i]];
            break;
        case TAPE_put:
            for (int64_t i = 0; i < n; i++)
                out[at[i]] = in[i];
            break;
        case TAPE_add_at:
            for (int64_t i = 0; i < n; i++)
                out[at[i]] += in[i];
            break;
        case TAPE_sum_at:
            std::fill(out, out + o.p, 0.0);
            for (int64_t i = 0; i < n; i++)
                out[at[i]] += in[i];
            break;
        case TAPE_mark:
            for (int64_t i = 0; i < n; i++)
                if (in[i] != 0)
                    out[at[i]] = 1.0;
            break;
        case TAPE_ramp:
            for (int64_t i = 0; i < n; i++)
                out[i] = tick < o.p ? in[i] * ((double)tick / (double)o.p) : in[i];
            break;
        case TAPE_store:
            std::copy(in, in + n, out + tape::modulo(tick, o.p) * n);
            break;
        case TAPE_recall:
            for (int64_t i = 0; i < n; i++)
                out[i] = in[tape::modulo(tick - at[i], o.p) * n + i];
            break;
        case TAPE_count:
            std::fill(out, out + n, 0.0);
            for (int64_t i = 0; i < n_ids; i++)
            {
                const int64_t channel = at[std::min((int64_t)ids[i], o.p)];
                if (channel < n)
                    out[channel] += 1.0;
            }
            break;
        case TAPE_pick:
            for (int64_t i = 0; i < n; i++)
            {
                const double row = in[i] > 0 ? (in[i] < double(o.p - 1) ? in[i] : double(o.p - 1)) : 0.0;
                out[i] = o.b[int64_t(row) * n + i];
            }
            break;
        case TAPE_skip:
            if (tape::modulo(tick + o.p, o.q))
                k += n;
            break;
        case TAPE_append:
            std::copy(in, in + n, out + at[0] * o.p + o.q);
            break;
        case TAPE_finite:
        {
            uint64_t found = 0; // as whole numbers, so that the loop is vectorised
            for (int64_t i = 0; i < n; i++)
                found |= (cosim_bits(in[i]) & 0x7ff0000000000000u) == 0x7ff0000000000000u;
            answer |= found != 0;
            break;
        }
        case TAPE_advance:
            answer |= ++at[0] == o.p;
            break;
        }
    }
    return answer;
}
