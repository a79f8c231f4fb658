//! Training on burn: specification to module, losses, stages, checkpoints.
