"""Saves the network as an MLflow model of the ONNX flavour, which `mlflow models serve` serves."""
import sys
import mlflow
import onnx

mlflow.onnx.save_model(onnx.load(sys.argv[1]), sys.argv[2], onnx_execution_providers=["CPUExecutionProvider"])
