"""A village as its agent sees it. `people` the list, what is still to do first; `listed` where the rosters stand by
which he collects; `slips` the same on paper; `rounds` the doors he goes to, and what he found there."""
