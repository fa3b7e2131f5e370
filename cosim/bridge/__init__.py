"""The lockstep loop: integer clocks, delay lines, encoders, decoders, wires between network and body."""
