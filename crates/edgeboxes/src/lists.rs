//! A list of other groups for every edge group, all of them in one piece of memory.

/// For each group, others with a number between 0 and 1 each.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct EdgeLists {
    /// List after list.
    entries: Vec<(u32, f32)>,
    /// Where the list of each group ends.
    ends: Vec<usize>,
}

impl EdgeLists {
    /// Adds to the list of the group that comes next.
    pub(crate) fn push(&mut self, group: u32, strength: f32) {
        self.entries.push((group, strength));
    }

    /// Ends the list of that group.
    pub(crate) fn end(&mut self) {
        self.ends.push(self.entries.len());
    }

    /// The list of a group; nothing for one that has none.
    pub(crate) fn of(&self, group: u32) -> &[(u32, f32)] {
        let group = group as usize;
        let start = group.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        self.ends.get(group).and_then(|&end| self.entries.get(start..end)).unwrap_or(&[])
    }
}
