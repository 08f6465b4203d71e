"""Starlette with orjson: the least that a Python server can do. Rows are read by name and not checked otherwise."""
import numpy as np
import orjson
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route
from session import NAMES, open_session

session = open_session()


async def predict(request):
    body = orjson.loads(await request.body())
    rows = np.array([[row[name] for name in NAMES] for row in body["instances"]], dtype=np.float32)
    (probability,) = session.run(["probability"], {"features": rows})
    answer = {"predictions": [{"probability": p, "decision": p >= 0.5} for p in probability[:, 0].tolist()]}
    return Response(orjson.dumps(answer), media_type="application/json")


app = Starlette(routes=[Route("/predict", predict, methods=["POST"])])
