"""The compiled step of fast generation: every layer of the WaveNet decoder, for some streams, in one call.

A stream is one sound of the batch. All products are "some rows of a weight matrix times the vectors of all streams",
in units of 16 rows: two registers of 8 rows, times up to 6 streams, 12 running sums that never leave their registers.
The same packed weights serve one stream (bound by memory: each weight is read once per sample) and 64 (bound by
arithmetic: 16 rows of 128 weights stay in the first-level cache for all streams). On one core of a Zen 3 that gives
39 G multiply-adds a second in float32 and 50 to 60 G in int16 (BLAS: 34 G); in float32 18 GB/s of weights at batch 1.

Weights are float32, int16 or int8. The integer forms multiply 16-bit inputs, pairs of them at once, into 32-bit sums
that cannot overflow (`generation_weights.py` scales rows so), and scale the sums to float32 after every block.

Members of a team are threads that share the streams: each computes a part of the rows, and all meet at a barrier
before anything reads what others wrote, 65 times per sample. Numba's own parallel loops would start and stop
their threads each time. Everything is in this one file because numba's cache looks at no other.
"""

from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, overload

from synth.jit import njit

LANES = 8  # float32 in a register of AVX2; two NEON registers
UNIT_ROWS = 2 * LANES
INPUT_LIMIT = 4095  # largest 16-bit input: 12 bits and a sign, an error of 1/30,000 of a block's largest value
_PATIENCE = 4_000  # looks at the barrier, about 4 us, before the core is offered to another process
_STOP = 8  # index in `sync` of the flag, a cache line after the counter

Array = Any


class Weights(NamedTuple):
    """The decoder's weights, packed. L layers, W residual channels, S skip channels, F taps, K inputs per group.

    Matrices are [unit, input / K, 16 rows, K], flat from the unit on; K is 2 for integers, 1 for float32. `q` is the
    precision. A unit of `gate` is 8 sigmoid rows and the 8 tanh rows of the same channels.
    """

    dilations: Array  # int64 [L]
    start: Array  # float32 [F, W], bias float32 [W]
    start_bias: Array
    skip_start: Array  # float32 [S / 16 units, W inputs]
    skip_bias: Array  # float32 [S]: of all layers together
    gate: Array  # q [L, W / 8 units, F W inputs], tap by tap, the newest last
    gate_scale: Array  # float32 [L, W / 8, 16]: a row's weight is q times this
    out: Array  # q [L, (W + S) / 16 units, W inputs]: residual, then skip
    out_scale: Array  # float32 [L, (W + S) / 16, 16]
    residual_bias: Array  # float32 [L, W]
    head: Array  # float32 [S / 16 units, S inputs]; its bias is in the conditioning
    logits: Array  # float32 [C / 16 units, S inputs]
    logits_bias: Array  # float32 [C]


class State(NamedTuple):
    """What a team of threads remembers of its B streams. Float32 but for `ring` and `gated`, which have the precision.

    Layer l's inputs are ring[first[l] + t % length[l]], length = (F - 1) dilation + 1, [B, W], in blocks of a scale.
    """

    first: Array  # int64 [L]
    length: Array  # int64 [L]
    ring: Array  # [slots, B, W]
    ring_scale: Array  # [slots, B, W / block]
    samples: Array  # [F, B], the sample of time t - 1 at t % F, class / 128 - 1
    x: Array  # [B, W]
    gated: Array  # [B, W]
    skip: Array  # [B, S]
    hidden: Array  # [B, S]
    logits: Array  # [B, C]
    sync: Array  # int64 [16]


class Frame(NamedTuple):
    """Conditioning of the B streams for one embedding frame, projected, with the biases added."""

    gate: Array  # float32 [L, W / 8, 2, B, 8]
    head: Array  # float32 [B, S]


_F32, _I8, _I16, _I32, _I64 = ir.FloatType(), ir.IntType(8), ir.IntType(16), ir.IntType(32), ir.IntType(64)
_FLOATS, _INTS = ir.VectorType(_F32, LANES), ir.VectorType(_I32, LANES)
_BYTES, _SHORTS = ir.VectorType(_I8, 2 * LANES), ir.VectorType(_I16, 2 * LANES)


def _data(context: Any, builder: Any, signature: Any, args: Any, i: int) -> Any:
    """Pointer to the first element of array argument `i`."""
    return context.make_array(signature.args[i])(context, builder, args[i]).data


def _load(builder: Any, pointer: Any, kind: Any, align: int) -> Any:
    return builder.load(builder.bitcast(pointer, kind.as_pointer()), align=align)


def _splat(builder: Any, scalar: Any) -> Any:
    one = builder.insert_element(ir.Constant(ir.VectorType(scalar.type, LANES), ir.Undefined), scalar, _I32(0))
    mask = ir.Constant(ir.VectorType(_I32, LANES), [0] * LANES)
    return builder.shuffle_vector(one, ir.Constant(one.type, ir.Undefined), mask)


def _fma(builder: Any, a: Any, b: Any, c: Any) -> Any:
    name = f"llvm.fma.v{LANES}f32"
    kind = ir.FunctionType(_FLOATS, [_FLOATS] * 3)
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), [a, b, c])


def _multiply_pairs(builder: Any, a: Any, b: Any) -> Any:
    """int16 x 16 times int16 x 16, neighbours added: int32 x 8. In this form LLVM makes one vpmaddwd of it on x86."""
    wide = ir.VectorType(_I32, 2 * LANES)
    products = builder.mul(builder.sext(a, wide), builder.sext(b, wide))
    even, odd = (ir.Constant(_INTS, list(range(first, 2 * LANES, 2))) for first in (0, 1))
    return builder.add(
        builder.shuffle_vector(products, products, even), builder.shuffle_vector(products, products, odd)
    )


def _make_accumulate(n_columns: int) -> Any:
    """The inner loop for one unit of rows and `n_columns` streams.

    accumulate(sums, at, half, column, weights, w_at, w_scale, ws_at,
               inputs, x_at, x_stride, x_scale, xs_at, xs_stride, n):
    adds to float32 sums[at + half h + column c + j], for halves h, streams c and rows j, the products of `n` groups of
    inputs from element x_at + x_stride c on with the weights from element w_at on. Integer sums are multiplied by
    w_scale[ws_at + 8 h + j] x_scale[xs_at + xs_stride c]. Positions count elements of the arrays, laid out flat.
    """

    @intrinsic
    def accumulate(_typing, sums, at, half, column, w, w_at, ws, ws_at, x, x_at, x_stride, xs, xs_at, xs_stride, n):
        in_float, in_bytes = w.dtype == types.float32, w.dtype == types.int8
        lanes = LANES if in_float else 2 * LANES  # weights in a register

        def codegen(context: Any, b: Any, signature: Any, args: Any) -> Any:
            p_sums, p_w, p_ws, p_x, p_xs = (_data(context, b, signature, args, i) for i in (0, 4, 6, 8, 11))
            at, half, column, w_at, ws_at = (args[i] for i in (1, 2, 3, 5, 7))
            x_at, x_stride, xs_at, xs_stride, n = (args[i] for i in (9, 10, 12, 13, 14))
            streams = [b.gep(p_x, [b.add(x_at, b.mul(x_stride, _I64(c)))]) for c in range(n_columns)]
            if not in_float:
                streams = [b.bitcast(pointer, _I32.as_pointer()) for pointer in streams]  # a pair of inputs
            before, loop, after = b.block, b.append_basic_block("groups"), b.append_basic_block("scale")
            b.branch(loop)
            b.position_at_end(loop)
            k = b.phi(_I64)
            k.add_incoming(_I64(0), before)
            running = []
            for _ in range(2 * n_columns):
                total = b.phi(_FLOATS if in_float else _INTS)
                total.add_incoming(ir.Constant(total.type, None), before)
                running.append(total)
            group = b.gep(p_w, [b.add(w_at, b.mul(k, _I64(2 * lanes)))])
            kind = _FLOATS if in_float else _BYTES if in_bytes else _SHORTS
            rows = [_load(b, b.gep(group, [_I64(lanes * h)]), kind, w.dtype.bitwidth // 8) for h in range(2)]
            if in_bytes:
                rows = [b.sext(row, _SHORTS) for row in rows]
            added = []
            for c, stream in enumerate(streams):
                value = _splat(b, b.load(b.gep(stream, [k]), align=4 if in_float else 2))
                for h in range(2):
                    total = running[2 * c + h]
                    if in_float:
                        added.append(_fma(b, rows[h], value, total))
                    else:
                        added.append(b.add(total, _multiply_pairs(b, rows[h], b.bitcast(value, _SHORTS))))
            following = b.add(k, _I64(1))
            k.add_incoming(following, loop)
            for total, result in zip(running, added, strict=True):
                total.add_incoming(result, loop)
            b.cbranch(b.icmp_signed("<", following, n), loop, after)
            b.position_at_end(after)
            for h in range(2):
                row_scale = None if in_float else _load(b, b.gep(p_ws, [b.add(ws_at, _I64(LANES * h))]), _FLOATS, 4)
                for c in range(n_columns):
                    place = b.add(at, b.add(b.mul(half, _I64(h)), b.mul(column, _I64(c))))
                    pointer = b.bitcast(b.gep(p_sums, [place]), _FLOATS.as_pointer())
                    old, new = b.load(pointer, align=4), added[2 * c + h]
                    if in_float:
                        result = b.fadd(old, new)
                    else:
                        scale = b.load(b.gep(p_xs, [b.add(xs_at, b.mul(xs_stride, _I64(c)))]))
                        result = _fma(b, b.sitofp(new, _FLOATS), b.fmul(row_scale, _splat(b, scale)), old)
                    b.store(result, pointer, align=4)
            return context.get_dummy_value()

        signature = (sums, at, half, column, w, w_at, ws, ws_at, x, x_at, x_stride, xs, xs_at, xs_stride, n)
        return types.void(*signature), codegen

    return accumulate


_accumulate_1, _accumulate_4, _accumulate_6 = (_make_accumulate(n) for n in (1, 4, 6))


def _arrive_intrinsic(_typing, sync):
    """Adds 1 to sync[0], atomically: what this thread wrote before is seen by who reads the new count."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.atomic_rmw("add", _data(context, builder, signature, args, 0), _I64(1), "seq_cst")
        return context.get_dummy_value()

    return types.void(sync), codegen


def _look_intrinsic(_typing, sync, i):
    """Reads sync[i] atomically."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointer = builder.gep(_data(context, builder, signature, args, 0), [args[1]])
        return builder.load_atomic(pointer, "acquire", 8)

    return types.int64(sync, i), codegen


def _float_of_bits_intrinsic(_typing, bits):
    """int32 -> the float32 with these bits."""

    def codegen(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], _F32)

    return types.float32(types.int32), codegen


# The type of numba's decorator is its own; to a type checker these are functions of any arguments.
_arrive: Any = intrinsic(_arrive_intrinsic)
_look: Any = intrinsic(_look_intrinsic)
_float_of_bits: Any = intrinsic(_float_of_bits_intrinsic)
_sched_yield: Any = types.ExternalFunction("sched_yield", types.intc())


@njit()
def _meet(sync, n_members, n_met):
    """Waits until all members were here once more, or the team is stopped; returns the number of meetings so far."""
    if n_members > 1:
        _arrive(sync)
        looks = 0
        while _look(sync, 0) < n_members * (n_met + 1) and _look(sync, _STOP) == 0:
            looks += 1
            if looks % _PATIENCE == 0:
                _sched_yield()
    return n_met + 1


@njit()
def _exp(x):
    """e^x in float32, to 2e-7 of its value; x is held within -87..88. Powers of two taken out, then Taylor's series."""
    x = min(max(x, np.float32(-87.0)), np.float32(88.0))
    k = np.floor(x * np.float32(1.44269504) + np.float32(0.5))
    r = (x - k * np.float32(0.693359375)) + k * np.float32(2.12194440e-4)  # ln 2 in two parts, the first exact
    y = np.float32(1 / 720)
    y = y * r + np.float32(1 / 120)
    y = y * r + np.float32(1 / 24)
    y = y * r + np.float32(1 / 6)
    y = y * r + np.float32(0.5)
    y = y * r + np.float32(1.0)
    y = y * r + np.float32(1.0)
    return y * _float_of_bits((np.int32(k) + np.int32(127)) << np.int32(23))


@njit()
def _gate(a, b):
    """sigmoid(a) tanh(b), to 2e-7. Past 15 the tanh is 1 in float32, and the limit keeps both factors finite."""
    ea, eb = _exp(-a), _exp(np.float32(-2.0) * min(max(b, np.float32(-15.0)), np.float32(15.0)))
    return (np.float32(1.0) - eb) / ((np.float32(1.0) + ea) * (np.float32(1.0) + eb))


def _stored(value, like):
    """`value` within -1..1 as an element of `like`: itself, or the nearest of INPUT_LIMIT steps."""


@overload(_stored, inline="always")
def _stored_overload(value, like):
    if like.dtype == types.float32:
        return lambda value, like: value
    return lambda value, like: np.int16(np.floor(value * np.float32(INPUT_LIMIT) + np.float32(0.5)))


@njit(fastmath=True)
def _largest(x):
    top = np.float32(0.0)
    for value in x:
        top = max(top, abs(value))
    return top


@njit()
def _multiply(sums, at, half, column, w, w_at, ws, ws_at, x, x_at, xs, xs_at, xs_stride, n_inputs):
    """`accumulate` for one unit and all streams: x is [B, channels]; `n_inputs` channels of it from x_at on."""
    B, stride = x.shape
    n = n_inputs // (4 // x.itemsize)  # pairs of 16-bit inputs, single floats
    c = 0
    while c < B:
        rest = B - c
        to, of, by = at + c * column, x_at + c * stride, xs_at + c * xs_stride
        if rest >= 6 and rest != 8:
            _accumulate_6(sums, to, half, column, w, w_at, ws, ws_at, x, of, stride, xs, by, xs_stride, n)
            c += 6
        elif rest >= 4:
            _accumulate_4(sums, to, half, column, w, w_at, ws, ws_at, x, of, stride, xs, by, xs_stride, n)
            c += 4
        else:
            _accumulate_1(sums, to, half, column, w, w_at, ws, ws_at, x, of, stride, xs, by, xs_stride, n)
            c += 1


@njit()
def _copy(x, out):
    """Element by element: numba's own assignment would compile the text of its error message, for seconds."""
    for i in range(out.size):
        out[i] = x[i]


@njit()
def _dense(w, bias, x, out, first, last, ones):
    """Units first..last - 1 of out = bias + W x, float32: bias [B or 1, rows], out [B, rows], x [B, inputs]."""
    B, n_inputs = x.shape
    for c in range(B):
        _copy(
            bias[c % bias.shape[0], first * UNIT_ROWS : last * UNIT_ROWS], out[c, first * UNIT_ROWS : last * UNIT_ROWS]
        )
    for u in range(first, last):
        w_at = u * UNIT_ROWS * n_inputs
        _multiply(out, u * UNIT_ROWS, LANES, out.shape[1], w, w_at, ones, 0, x, 0, ones, 0, 0, n_inputs)


@njit()
def _rectify(x, first, last):
    """Units first..last - 1 of x [B, rows], in place."""
    for c in range(len(x)):
        row = x[c, first * UNIT_ROWS : last * UNIT_ROWS]
        for j in range(row.size):
            row[j] = max(row[j], np.float32(0.0))


@njit()
def _gates(weights, state, frame, layer, time, first, last, sums):
    """Units first..last - 1 of a layer's dilated convolution, conditioning and gate, into state.gated."""
    n_taps = weights.start.shape[0]
    B, W = state.x.shape
    n_blocks = state.ring_scale.shape[2]
    block = W // n_blocks
    half = B * LANES
    sigmoid_half, tanh_half = sums[:half], sums[half:]
    w, scale, bias = weights.gate[layer], weights.gate_scale[layer], frame.gate[layer]
    for u in range(first, last):
        _copy(bias[u].ravel(), sums)
        for tap in range(n_taps):
            lag = (n_taps - 1 - tap) * weights.dilations[layer]
            slot = state.first[layer] + (time - lag) % state.length[layer]
            x, x_scale = state.ring[slot], state.ring_scale[slot]
            for i in range(n_blocks):
                w_at = ((u * n_taps + tap) * W + i * block) * UNIT_ROWS
                x_at, ws_at = i * block, u * UNIT_ROWS
                _multiply(sums, 0, half, LANES, w, w_at, scale, ws_at, x, x_at, x_scale, i, n_blocks, block)
        for i in range(half):
            sigmoid_half[i] = _gate(sigmoid_half[i], tanh_half[i])
        for c in range(B):
            gated, into = sums[c * LANES : (c + 1) * LANES], state.gated[c, u * LANES : (u + 1) * LANES]
            for j in range(LANES):
                into[j] = _stored(gated[j], into)


@njit()
def _start(weights, state, time, begin, end):
    """Channels begin..end - 1, whole blocks, of the start convolution over the last samples."""
    n_taps = len(weights.start)
    for c in range(len(state.x)):
        x = state.x[c, begin:end]
        for j in range(x.size):
            x[j] = 0.0
        for tap in range(n_taps):
            sample = state.samples[(time - (n_taps - 1 - tap)) % n_taps, c]
            w = weights.start[tap, begin:end]
            for j in range(x.size):
                x[j] += sample * w[j]
    _pass_on(state, weights.start_bias, 0, time, begin, end)


@njit()
def _residual_and_skip(weights, state, layer, time, first, last, unit_scale):
    """Units first..last - 1 of a layer's residual and skip convolutions; complete blocks of x go to the next layer."""
    W, S = state.x.shape[1], state.skip.shape[1]
    block = W // state.ring_scale.shape[2]
    w, scale = weights.out[layer], weights.out_scale[layer]
    for u in range(first, last):
        row, w_at = u * UNIT_ROWS, u * UNIT_ROWS * W
        if row < W:
            _multiply(state.x, row, LANES, W, w, w_at, scale, row, state.gated, 0, unit_scale, 0, 0, W)
            end = row + UNIT_ROWS
            if end % block == 0:
                _pass_on(state, weights.residual_bias[layer], layer + 1, time, end - block, end)
        else:
            _multiply(state.skip, row - W, LANES, S, w, w_at, scale, row, state.gated, 0, unit_scale, 0, 0, W)


@njit()
def _pass_on(state, bias, layer, time, begin, end):
    """Channels begin..end - 1 of x, whole blocks, plus their bias, become inputs of `layer` at `time`."""
    B, W = state.x.shape
    n_blocks = state.ring_scale.shape[2]
    block = W // n_blocks
    slot = state.first[layer] + time % state.length[layer]
    for at in range(begin, end, block):
        b = bias[at : at + block]
        for c in range(B):
            x, into = state.x[c, at : at + block], state.ring[slot, c, at : at + block]
            for j in range(block):
                x[j] += b[j]
            if into.itemsize == 4:
                for j in range(block):
                    into[j] = _stored(x[j], into)
            else:
                top = max(_largest(x), np.float32(1e-20))
                inverse = np.float32(1.0) / top
                for j in range(block):
                    into[j] = _stored(x[j] * inverse, into)
                state.ring_scale[slot, c, at // block] = top / np.float32(INPUT_LIMIT)


@njit()
def _choose(logits, temperature, u, odds):
    """A class drawn from softmax(logits / temperature) by a uniform u in [0, 1); -1 where a logit is not finite."""
    top, finite = logits[0], np.float32(0.0)
    for value in logits:
        top = max(top, value)
        finite += value * np.float32(0.0)
    if finite != 0.0:
        return -1
    for i in range(logits.size):
        odds[i] = _exp((logits[i] - top) / temperature)
    total = 0.0
    for value in odds:
        total += value
    left, choice = u * total, 0
    for i in range(logits.size):
        if odds[i] > 0.0:  # where rounding leaves a crumb, the last class that can be
            choice = i
        left -= odds[i]
        if left < 0.0:
            break
    return choice


@njit()
def advance(weights, state, frame, member, n_members, time, given, uniform, temperature, chosen, all_logits):
    """Generate some samples of the team's streams; every member calls it with the same arguments but `member`.

    Args:
        weights, state, frame: Weights, State, Frame; state.sync is zero.
        member, n_members: int; which part of the rows this thread computes.
        time: int; samples made before.
        given: int16 [n, B]; a class that is fed back instead of the chosen one (teacher forcing), or -1.
        uniform: float64 [n, B] in [0, 1); what the choice is made by.
        temperature: float32, more than 0; divides the logits.
        chosen: int16 [n, B], written: the class drawn, or -1 where a logit was not finite.
        all_logits: float32 [n, B, C], written; or [0, B, C] for none.
    """
    n_layers = weights.dilations.size
    n_taps, W = weights.start.shape
    B, S = state.skip.shape
    C = state.logits.shape[1]
    block = W // state.ring_scale.shape[2]
    sums = np.empty(2 * B * LANES, np.float32)
    odds = np.empty(C, np.float32)
    ones = np.ones(UNIT_ROWS, np.float32)
    unit_scale = np.full(1, 1.0 / INPUT_LIMIT, np.float32)
    skip_bias, logits_bias = weights.skip_bias.reshape(1, S), weights.logits_bias.reshape(1, C)

    gate_from, gate_to = W // LANES * member // n_members, W // LANES * (member + 1) // n_members
    skip_from, skip_to = S // UNIT_ROWS * member // n_members, S // UNIT_ROWS * (member + 1) // n_members
    class_from, class_to = C // UNIT_ROWS * member // n_members, C // UNIT_ROWS * (member + 1) // n_members
    # Residual units are shared out in whole blocks, because a block has one scale.
    n_residual, n_out, n_in_block = W // UNIT_ROWS, (W + S) // UNIT_ROWS, block // UNIT_ROWS
    out_from, out_to = n_out * member // n_members, n_out * (member + 1) // n_members
    if out_from < n_residual:
        out_from -= out_from % n_in_block
    if out_to < n_residual:
        out_to -= out_to % n_in_block
    block_from, block_to = W // block * member // n_members * block, W // block * (member + 1) // n_members * block

    n_met = 0
    for i in range(given.shape[0]):
        t = time + i
        _start(weights, state, t, block_from, block_to)
        n_met = _meet(state.sync, n_members, n_met)
        _dense(weights.skip_start, skip_bias, state.x, state.skip, skip_from, skip_to, ones)
        for layer in range(n_layers):
            _gates(weights, state, frame, layer, t, gate_from, gate_to, sums)
            n_met = _meet(state.sync, n_members, n_met)
            if layer < n_layers - 1:
                _residual_and_skip(weights, state, layer, t, out_from, out_to, unit_scale)
            else:  # nothing reads the last residual
                first, last = n_residual + skip_from, n_residual + skip_to
                _residual_and_skip(weights, state, layer, t, first, last, unit_scale)
                _rectify(state.skip, skip_from, skip_to)
            n_met = _meet(state.sync, n_members, n_met)
        _dense(weights.head, frame.head, state.skip, state.hidden, skip_from, skip_to, ones)
        _rectify(state.hidden, skip_from, skip_to)
        n_met = _meet(state.sync, n_members, n_met)
        _dense(weights.logits, logits_bias, state.hidden, state.logits, class_from, class_to, ones)
        n_met = _meet(state.sync, n_members, n_met)
        for c in range(B * member // n_members, B * (member + 1) // n_members):
            chosen[i, c] = _choose(state.logits[c], temperature, uniform[i, c], odds)
            fed_back = given[i, c] if given[i, c] >= 0 else chosen[i, c]
            state.samples[(t + 1) % n_taps, c] = np.float32(fed_back - C // 2) / np.float32(C // 2)
            if all_logits.shape[0] > 0:
                _copy(state.logits[c], all_logits[i, c])
        n_met = _meet(state.sync, n_members, n_met)


def stop(sync: Array) -> None:
    """Ends `advance` of a team that will not be complete, at its next barrier; its state is then of no use."""
    sync[_STOP] = 1
