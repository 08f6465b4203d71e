"""LitServe with batching and the fast queue."""
import os
import numpy as np
import litserve
from session import NAMES, open_session


class Predictor(litserve.LitAPI):
    def setup(self, device):
        self.session = open_session()

    def decode_request(self, request):
        return np.array([[row[name] for name in NAMES] for row in request["instances"]], dtype=np.float32)

    def batch(self, inputs):
        return np.concatenate(inputs)

    def predict(self, rows):
        (probability,) = self.session.run(["probability"], {"features": rows})
        return probability[:, 0]

    def unbatch(self, output):
        return output.tolist()

    def encode_response(self, p):
        return {"predictions": [{"probability": p, "decision": p >= 0.5}]}


if __name__ == "__main__":
    api = Predictor(max_batch_size=64, batch_timeout=0.001)
    server = litserve.LitServer(api, accelerator="cpu", workers_per_device=1, fast_queue=True, timeout=30)
    server.run(host="127.0.0.1", port=int(os.environ["PEER_PORT"]), generate_client_file=False, log_level="error", num_api_servers=1)
