"""Four programs on one kind of 20 questions: what their templates hold, what they find, at which cell, in which words.

``python -m benchmarks.rivals --gen3 PYTHON --linkml PYTHON --excelalchemy PYTHON`` prints docs/comparison.md's tables. Each PYTHON is
the interpreter of an environment that has the program; one that is left out gets a column that says "not run".
"""
