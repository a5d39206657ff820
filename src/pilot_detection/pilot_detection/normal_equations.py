"""The small systems that detection solves for every box and mark."""

import math

import numpy as np

from pilot_common.compiled import compiled


@compiled
def inverse_of_positive(matrix: np.ndarray, inverse: np.ndarray) -> None:
    """`inverse` (n, n) of a symmetric positive definite `matrix` (n, n), which is lost: by its Cholesky factor L, as L⁻ᵀ L⁻¹."""
    count = len(inverse)
    for column in range(count):
        for row in range(column, count):
            rest = matrix[row, column]
            for k in range(column):
                rest -= matrix[row, k] * matrix[column, k]
            matrix[row, column] = math.sqrt(rest) if row == column else rest / matrix[column, column]
    for column in range(count):  # L⁻¹ in place
        matrix[column, column] = 1.0 / matrix[column, column]
        for row in range(column + 1, count):
            rest = 0.0
            for k in range(column, row):
                rest -= matrix[row, k] * matrix[k, column]
            matrix[row, column] = rest / matrix[row, row]
    for row in range(count):
        for column in range(row + 1):
            total = 0.0
            for k in range(row, count):
                total += matrix[k, row] * matrix[k, column]
            inverse[row, column] = inverse[column, row] = total
