//! Names of tables that one experiment writes and another shows beside its own.

/// The experiment of the paper's recipe, its run, and its table of whole systems.
pub const PAPER_RECIPE: &str = "paper_recipe";

/// The table of what the LNets of the paper's recipe find.
pub const PAPER_RECIPE_LOCALISATION: &str = "paper_recipe_localisation";
