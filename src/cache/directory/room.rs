//! The room: what a writer has been granted, and what of it is left.

/// What a writer may take, in bytes, and what it has done with that since it last told the ledger.
#[derive(Debug, Default)]
pub(super) struct Room {
    /// What the ledger has granted.
    granted: u64,
    /// Of that, what was reserved for objects that are on their way.
    held: u64,
    /// Of that, what objects take that were stored.
    spent: u64,
    /// What objects took that were removed. It cannot be used before the ledger knows.
    freed: u64,
    /// How many objects were stored, and how many removed.
    stored: u64,
    removed: u64,
    /// When all objects were counted, as of the last settlement.
    counted: u64,
}

/// What the ledger has to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Account {
    /// What was stored.
    pub(super) spent: u64,
    /// What was removed.
    pub(super) freed: u64,
    /// What is still reserved.
    pub(super) held: u64,
    /// How many objects were stored.
    pub(super) stored: u64,
    /// How many objects were removed.
    pub(super) removed: u64,
}

impl Room {
    /// Reserves bytes, if they are there.
    pub(super) fn reserve(&mut self, bytes: u64) -> bool {
        let free = self.granted.saturating_sub(self.held).saturating_sub(self.spent);
        if bytes <= free {
            self.held += bytes;
        }
        bytes <= free
    }

    /// Gives back what was reserved and not used.
    pub(super) fn release(&mut self, bytes: u64) {
        self.held = self.held.saturating_sub(bytes);
    }

    /// What was reserved is an object now.
    pub(super) fn spend(&mut self, bytes: u64) {
        self.release(bytes);
        self.spent += bytes;
        self.stored += 1;
    }

    /// An object is gone.
    pub(super) fn free(&mut self, bytes: u64) {
        self.freed += bytes;
        self.removed += 1;
    }

    /// Whether the ledger would learn nothing new.
    pub(super) fn is_settled(&self) -> bool {
        self.granted == 0 && self.spent == 0 && self.freed == 0
    }

    /// What was granted or freed, and takes no room.
    pub(super) fn unused(&self) -> u64 {
        self.granted.saturating_sub(self.held).saturating_sub(self.spent).saturating_add(self.freed)
    }

    /// What is reserved for objects that are on their way.
    pub(super) fn held(&self) -> u64 {
        self.held
    }

    /// What the ledger has to be told. `counted` says when all objects were counted: if that was since the last
    /// settlement, what was removed may have been missing then already, and is not subtracted a second time.
    pub(super) fn account(&self, counted: u64) -> Account {
        let (freed, removed) = if counted == self.counted { (self.freed, self.removed) } else { (0, 0) };
        Account { spent: self.spent, freed, held: self.held, stored: self.stored, removed }
    }

    /// Begins anew: the ledger has been told, and has granted so much.
    pub(super) fn reopen(&mut self, granted: u64, counted: u64) {
        *self = Self { granted, counted, held: self.held, ..Self::default() };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_more_is_given_out_than_was_granted() {
        let mut room = Room::default();
        assert!(!room.reserve(1));
        room.reopen(10, 0);
        assert!(room.reserve(6) && !room.reserve(5) && room.reserve(4));
        room.spend(6);
        assert!(!room.reserve(1), "what was spent is gone");
        room.release(4);
        assert!(room.reserve(4));
    }

    #[test]
    fn what_was_removed_cannot_be_used_before_it_was_settled() {
        let mut room = Room::default();
        room.reopen(10, 7);
        assert!(room.reserve(10));
        room.spend(10);
        room.free(10);
        assert!(!room.reserve(1));
        assert_eq!(room.account(7), Account { spent: 10, freed: 10, held: 0, stored: 1, removed: 1 });
        room.reopen(0, 7);
        assert!(room.is_settled());
    }

    #[test]
    fn what_was_removed_before_a_count_is_not_subtracted_again() {
        let mut room = Room::default();
        room.reopen(10, 7);
        room.free(3);
        assert_eq!(room.account(8), Account { spent: 0, freed: 0, held: 0, stored: 0, removed: 0 });
    }
}
