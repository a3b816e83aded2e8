// Four lanes of a subgroup share loads and sums. For subgroups that are four lanes in order, as on SwiftShader.
const sharingLanes = 4u;

fn sharedLane(lane: u32) -> u32 { return lane % 4u; }

fn sharedSum(v: f32) -> f32 { return subgroupAdd(v); }
