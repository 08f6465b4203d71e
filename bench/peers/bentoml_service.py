"""BentoML with its adaptive batching, which is what it is chosen for."""
import bentoml
import numpy as np
from session import open_session


@bentoml.service(workers=1, traffic={"timeout": 30}, logging={"access": {"enabled": False}}, metrics={"enabled": False})
class Predictor:
    def __init__(self):
        self.session = open_session()

    @bentoml.api(batchable=True, max_batch_size=256, max_latency_ms=1000)
    def predict(self, rows: np.ndarray) -> np.ndarray:
        (probability,) = self.session.run(["probability"], {"features": rows.astype(np.float32)})
        return probability
