"""Scores a Parquet file into another with pyarrow and ONNX Runtime, as one would by hand: streaming, columns by dictionary, one session.

Prints seconds of wall clock and of processor, and the most memory it held, without what imports took.
"""

import json
import resource
import sys
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnxruntime as ort
import pyarrow as pa
import pyarrow.parquet as pq

model, source, target, keys, threads, rows = sys.argv[1:7]
keys, threads, rows = keys.split(","), int(threads), int(rows)
pa.set_cpu_count(threads)
GROUP = 122_880


def processor():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


start, start_processor = time.perf_counter(), processor()
options = ort.SessionOptions()
# Threads of the pool below score batches side by side, which is faster here than one batch on two threads.
options.intra_op_num_threads = 1
options.inter_op_num_threads = 1
session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
inputs = [(item.name, item.type) for item in session.get_inputs()]
texts = [name for name, kind in inputs if kind == "tensor(string)"]


def column(values, kind):
    if kind == "tensor(string)":
        return values.dictionary.to_numpy(zero_copy_only=False)[values.indices.to_numpy()]
    if kind == "tensor(int64)":
        return values.cast(pa.timestamp("ms")).view(pa.int64()).to_numpy()
    return values.cast(pa.float64()).to_numpy(zero_copy_only=False)


def score(batch):
    feeds = {name: column(batch.column(name), kind).reshape(-1, 1) for name, kind in inputs}
    probability, decision = session.run(["probability", "decision"], feeds)
    answers = [pa.array(probability.ravel()), pa.array(decision.ravel())]
    return pa.record_batch([batch.column(key) for key in keys] + answers, names=[*keys, "probability", "decision"])


def scored(batches):
    if threads == 1:
        yield from map(score, batches)
        return
    with ThreadPoolExecutor(threads) as pool:
        waiting = deque()
        for batch in batches:
            waiting.append(pool.submit(score, batch))
            if len(waiting) > 2 * threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


file = pq.ParquetFile(source, read_dictionary=texts)
columns = list(dict.fromkeys(keys + [name for name, _ in inputs]))
fields = [file.schema_arrow.field(key) for key in keys]
schema = pa.schema([*fields, ("probability", pa.float32()), ("decision", pa.bool_())])
with pq.ParquetWriter(target, schema, compression="zstd", compression_level=1) as writer:
    pending, count = [], 0
    for batch in scored(file.iter_batches(batch_size=rows, columns=columns, use_threads=threads > 1)):
        pending.append(batch)
        count += batch.num_rows
        if count >= GROUP:
            writer.write_table(pa.Table.from_batches(pending, schema), row_group_size=GROUP)
            pending, count = [], 0
    if pending:
        writer.write_table(pa.Table.from_batches(pending, schema), row_group_size=GROUP)
seconds, used = time.perf_counter() - start, processor() - start_processor
memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"seconds": seconds, "processor": used, "megabytes": memory}))
