"""A village as its agent sees it. `people` the list, what is still to do first; `slips` the same on paper."""
