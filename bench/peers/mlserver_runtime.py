"""MLServer with a runtime of one session; asked in the Open Inference Protocol, one tensor of 20 numbers."""
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceRequest, InferenceResponse
from session import open_session


class Predictor(MLModel):
    async def load(self) -> bool:
        self.session = open_session(self.settings.parameters.uri)
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        rows = NumpyCodec.decode_input(payload.inputs[0]).astype("float32")
        (probability,) = self.session.run(["probability"], {"features": rows})
        return InferenceResponse(
            model_name=self.name, outputs=[NumpyCodec.encode_output("probability", probability)]
        )
