"""Arrays inside JSON: base64 of their bytes, little-endian."""

from __future__ import annotations

import base64

import numpy as np

from service.domain import Float64


def unpacked(text: str) -> Float64:
    """Values of base64 of float64, little-endian."""
    return np.frombuffer(base64.b64decode(text), dtype="<f8").astype(np.float64)
