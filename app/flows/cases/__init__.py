"""One sentence of a resident or an agent becomes a case: `say` it, and whether the answer settles it; the right office
finds it on its `desk`, the most urgent first, and `answer` tells. Of whom somebody said that he died, the `row_of_dead`
is made for the register. What it found of somebody who paid `elsewhere` counts, is asked again, and may be taken
back."""
