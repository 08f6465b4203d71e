"""Triton, from NVIDIA's wheel, with its dynamic batcher."""
import os
import time
import numpy as np
from pytriton.decorators import batch
from pytriton.model_config import DynamicBatcher, ModelConfig, Tensor
from pytriton.triton import Triton, TritonConfig
from session import open_session

session = open_session()


@batch
def predict(features):
    (probability,) = session.run(["probability"], {"features": features})
    return {"probability": probability}


config = TritonConfig(http_port=int(os.environ["PEER_PORT"]), allow_grpc=False, allow_metrics=False, http_address="127.0.0.1")
with Triton(config=config) as triton:
    triton.bind(
        model_name="predictor",
        infer_func=predict,
        inputs=[Tensor(name="features", dtype=np.float32, shape=(20,))],
        outputs=[Tensor(name="probability", dtype=np.float32, shape=(1,))],
        config=ModelConfig(max_batch_size=256, batcher=DynamicBatcher(max_queue_delay_microseconds=0)),
    )
    triton.run()
    while True:
        time.sleep(3600)
