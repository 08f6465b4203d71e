"""Writes the network that every server of the bench answers with: 20 numbers, dense 32 and 16 with relu, one probability."""
import sys
import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper

SIZES = [20, 32, 16, 1]


def network():
    random = np.random.default_rng(7)
    nodes, weights, value = [], [], "features"
    for layer, (inner, width) in enumerate(zip(SIZES, SIZES[1:])):
        kernel = random.normal(0, inner**-0.5, (inner, width)).astype(np.float32)
        bias = random.normal(0, 0.1, width).astype(np.float32)
        weights += [numpy_helper.from_array(kernel, f"kernel{layer}"), numpy_helper.from_array(bias, f"bias{layer}")]
        last = width == 1
        nodes.append(helper.make_node("Gemm", [value, f"kernel{layer}", f"bias{layer}"], [f"dense{layer}"]))
        value = "probability" if last else f"active{layer}"
        nodes.append(helper.make_node("Sigmoid" if last else "Relu", [f"dense{layer}"], [value]))
    graph = helper.make_graph(
        nodes,
        "network",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["rows", SIZES[0]])],
        [helper.make_tensor_value_info("probability", TensorProto.FLOAT, ["rows", 1])],
        weights,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


if __name__ == "__main__":
    model = network()
    checker.check_model(model)
    with open(sys.argv[1], "wb") as file:
        file.write(model.SerializeToString())
