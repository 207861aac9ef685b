"""Measurements that take too long for the tests. Each prints its figures with seed and versions; docs/ quotes them."""
