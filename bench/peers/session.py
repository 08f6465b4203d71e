"""One ONNX Runtime session for the peers, with the settings that are fastest for a small network: one thread, no spinning."""
import os
import onnxruntime as ort

NAMES = [f"x{i:02d}" for i in range(20)]


def open_session(path=None):
    options = ort.SessionOptions()
    options.intra_op_num_threads = int(os.environ.get("PEER_THREADS", "1"))
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    return ort.InferenceSession(path or os.environ["PEER_MODEL"], options, providers=["CPUExecutionProvider"])
