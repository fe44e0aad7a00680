"""Parts of `benchmarks.device_soak`: the whole instrument as `tetrad play` starts it, played at full speed."""
