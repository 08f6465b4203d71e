"""FastAPI as its documentation writes it: a typed body that pydantic checks, an async handler, no log."""
import numpy as np
from fastapi import FastAPI
from pydantic import create_model, BaseModel, ConfigDict
from session import NAMES, open_session

session = open_session()
Instance = create_model("Instance", __config__=ConfigDict(extra="forbid", strict=False), **{name: (float, ...) for name in NAMES})


class Request(BaseModel):
    instances: list[Instance]


class Prediction(BaseModel):
    probability: float
    decision: bool


class Answer(BaseModel):
    predictions: list[Prediction]


app = FastAPI()


@app.post("/predict")
async def predict(request: Request) -> Answer:
    # The fields stand in the order of NAMES, which is that of the definition.
    rows = np.array([list(instance.__dict__.values()) for instance in request.instances], dtype=np.float32)
    (probability,) = session.run(["probability"], {"features": rows})
    return Answer.model_construct(
        predictions=[Prediction.model_construct(probability=p, decision=p >= 0.5) for p in probability[:, 0].tolist()]
    )
