"""Write an NSynth checkpoint with TensorFlow itself, as Magenta's training would have (needs TensorFlow, no torch).

    python write_tf_checkpoint.py magenta_nsynth_variables.json OUT/model.ckpt-200000 --averages
    python write_tf_checkpoint.py tiny_variables.json tiny_averages/model.ckpt-1 --averages
    python write_tf_checkpoint.py tiny_variables.json tiny_shards/model.ckpt-1 --shards 2
    python write_tf_checkpoint.py tiny_variables.json first_format.ckpt --first-format

The weights are those of README.md: made from each variable's name. With `--averages` they are the averages, as
`NAME/ExponentialMovingAverage`; the plain variables are one step of Adam away from them, and Adam's own variables are
there. `--shards` spreads the variables over devices, each of which writes a data file. `--first-format` writes the one
file of TensorFlow before 1.0, of the first two variables.
"""

import argparse
import json
import os
import zlib
from pathlib import Path

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import tensorflow as tf  # type: ignore[import-not-found,import-untyped,unused-ignore]


def reference_values(name, shape):
    """The float32 values that README.md gives a variable."""
    values = np.random.default_rng(zlib.crc32(name.encode())).standard_normal(shape)
    is_kernel = name.endswith("/W")
    return (0.8 * values / np.sqrt(np.prod(shape[:-1])) if is_kernel else 0.05 * values).astype(np.float32)


def write(variables, prefix, *, averages=False, n_shards=1, first_format=False):
    """Save `variables`, a list of {"name", "shape"}, as the checkpoint `prefix` (its directory is made)."""
    v1 = tf.compat.v1
    Path(prefix).parent.mkdir(parents=True, exist_ok=True)
    graph = tf.Graph()
    config = v1.ConfigProto(device_count={"CPU": n_shards})
    with graph.as_default(), v1.Session(graph=graph, config=config) as session:
        step = v1.get_variable("global_step", initializer=np.int32(0), trainable=False)
        weights = []
        for i, variable in enumerate(variables):
            name, shape = variable["name"], variable["shape"]
            with tf.device(f"/cpu:{i % n_shards}"):
                value = v1.placeholder(tf.float32, shape)  # not a constant: a graph holds at most 2 GB
                weights.append((v1.get_variable(name, initializer=value), value, reference_values(name, shape)))
        kept = [weight for weight, _, _ in weights]
        train = tf.no_op()
        if averages:
            tf.compat.v1.train.ExponentialMovingAverage(0.9999).apply(kept)
            loss = tf.add_n([tf.reduce_sum(weight) for weight in kept])
            train = v1.train.AdamOptimizer(0.1).minimize(loss, global_step=step)
        session.run(v1.global_variables_initializer(), {value: given for _, value, given in weights})
        session.run(train)
        version = v1.train.SaverDef.V1 if first_format else v1.train.SaverDef.V2
        saver = v1.train.Saver(sharded=n_shards > 1, write_version=version)
        saver.save(session, str(prefix), write_meta_graph=False, write_state=False)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("variables", type=Path)
    parser.add_argument("prefix", type=Path)
    parser.add_argument("--averages", action="store_true")
    parser.add_argument("--shards", type=int, default=1)
    parser.add_argument("--first-format", action="store_true")
    args = parser.parse_args()
    listed = json.loads(args.variables.read_text())
    if args.first_format:
        listed = listed[:2]
    write(listed, args.prefix, averages=args.averages, n_shards=args.shards, first_format=args.first_format)
