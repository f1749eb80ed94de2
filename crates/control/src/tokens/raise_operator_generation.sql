update control.operator_generation
set generation = generation + 1
