/** What a kernel begins with whose subgroups are four lanes that work on the same: it may ask them after a branch that all four take. */
export const quadsWgsl = 'enable subgroups;\ndiagnostic(off, subgroup_uniformity);'
