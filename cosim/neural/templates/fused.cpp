// State update and threshold of one group in one loop; not a template of Brian2's: see fused.py. Functions that both bring
// along are those of the state update.
namespace %UPDATE_NAME%
{
using namespace %FIND_NAME%;

// Update all neurons and find those that spike; gives how many. Some at a time, so that they come from memory once.
//
// Nearly all neurons are out of their refractory time and stay so until they spike: the loop over some of them neither reads
// nor writes anything that has to do with it. Those that are not, if they are few, get back what they had before that loop,
// and are updated one by one. Pointers are declared again inside, so that they are known to have no aliases there only.
COSIM_NOINLINE static int32_t with_threshold(cosim::Context &_context)
{
    %CONSTANTS%
    %POINTERS%
    const size_t _vectorisation_idx = -1;
    %UPDATE_SCALARS%
    {
        %FIND_SCALARS%
        int32_t _count = 0;
        for (size_t _begin = 0; _begin < (size_t)N; _begin += cosim::many)
        {
            const size_t _end = std::min(_begin + cosim::many, (size_t)N);
            uint64_t _blocks = 0; // of few neighbours, of which any may spike
            {
                %POINTERS%
                size_t _hindered[cosim::some];
                const size_t _n_hindered = %HINDERED%;
                if (_n_hindered > cosim::some)
                {
                    for (size_t _idx = _begin; _idx < _end; _idx++)
                    {
                        const size_t _vectorisation_idx = _idx;
                        constexpr bool _unhindered = false;
                        %UPDATE%
                    }
                    _blocks = cosim::all_blocks;
                }
                else
                {
                    %KEPT%
                    for (size_t _k = 0; _k < _n_hindered; _k++)
                    {
                        const size_t _idx = _hindered[_k];
                        %KEEP%
                    }
                    for (size_t _first = _begin; _first < _end; _first += cosim::few)
                    {
                        const size_t _last = std::min(_first + cosim::few, _end);
                        int64_t _any = 0;
                        for (size_t _idx = _first; _idx < _last; _idx++)
                        {
                            const size_t _vectorisation_idx = _idx;
                            constexpr bool _unhindered = true;
                            {
                                %UPDATE%
                            }
                            %FIND%
                            _any |= -(int64_t)_cond;
                        }
                        _blocks |= (uint64_t)(_any & 1) << (_first - _begin)/cosim::few;
                    }
                    for (size_t _k = 0; _k < _n_hindered; _k++)
                    {
                        const size_t _idx = _hindered[_k];
                        const size_t _vectorisation_idx = _idx;
                        constexpr bool _unhindered = false;
                        %PUT_BACK%
                        {
                            %UPDATE%
                        }
                        %FIND%
                        _blocks |= (uint64_t)_cond << (_idx - _begin)/cosim::few;
                    }
                }
            }
            while (_blocks)
            {
                const cosim::Blocks _run = cosim::next(_blocks);
                _count = find(_context, _begin + _run.first*cosim::few,
                              std::min(_begin + _run.last*cosim::few, _end), _count);
            }
        }
        return _count;
    }
}
}
