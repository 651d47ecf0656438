"""How kernels are compiled: loops over arrays, by Numba, to machine code that is kept on disk between processes."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

import numba

P = ParamSpec("P")
R = TypeVar("R")


def compiled(kernel: Callable[P, R]) -> Callable[P, R]:
    """Compile a kernel when it is first called, for the types it is called with.

    Kernels run without the interpreter's lock, so that threads can run them side by side; none of them runs in several
    threads itself, and none reorders sums of floats (no `fastmath`): the same arrays give the same bytes whatever the
    number of threads. Division by zero gives inf or nan, as in NumPy.

    Machine code is kept beside the module, or else in the user's cache folder or NUMBA_CACHE_DIR. Where none of them
    can be written, each process compiles anew.
    """
    try:
        made = numba.njit(cache=True, nogil=True, error_model="numpy")(kernel)
    except RuntimeError:  # no folder for the cache
        made = numba.njit(nogil=True, error_model="numpy")(kernel)
    return cast("Callable[P, R]", made)
