"""Lenses: the known measures of the visible part of influence, each reproduced, explained and combinable.

Each lens is one module with one function from `Observed` to `LensValues`; its docstring says what the original
published, the formula here, and what is different.
"""
