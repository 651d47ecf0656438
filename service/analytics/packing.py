"""Arrays inside JSON: base64 of their bytes, little-endian."""

from __future__ import annotations

import base64

import numpy as np

from service.domain import Float64


def packed(values: Float64) -> str:
    """Base64 of values as float64, little-endian."""
    return base64.b64encode(values.astype("<f8").tobytes()).decode()


def unpacked(text: str) -> Float64:
    """Values of base64 of float64, little-endian."""
    return np.frombuffer(base64.b64decode(text), dtype="<f8").astype(np.float64)
