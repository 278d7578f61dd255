"""Kernels compiled before the visit, by the compiler that is expected there."""
