//! Puts hosts into the first wave where every group of theirs has room (pure).
//!
//! The cost grows with the number of hosts: each group remembers where its room begins.

use std::collections::BTreeMap;

/// Room in each wave.
struct Room {
    most: Vec<usize>,
    taken: BTreeMap<usize, usize>,
    /// No wave before this one has room, as far as anybody may still go there.
    begins: usize,
}

impl Room {
    fn is_full(&self, wave: usize) -> bool {
        // The last number holds for all further waves.
        let most = self.most.get(wave).or(self.most.last()).copied().unwrap_or(usize::MAX);
        self.taken.get(&wave).is_some_and(|taken| *taken >= most)
    }

    /// The first wave from `from` on that has room.
    fn first(&mut self, from: usize, start: usize) -> usize {
        self.begins = self.begins.max(start);
        while self.is_full(self.begins) {
            self.begins += 1;
        }
        let from = from.max(self.begins);
        let untaken = self.taken.last_key_value().map_or(0, |(wave, _)| wave + 1).max(from);
        (from..untaken).find(|wave| !self.is_full(*wave)).unwrap_or(untaken)
    }
}

/// Waves in the making, of things `T`, with groups `G`.
pub(super) struct Packer<G, T> {
    rooms: BTreeMap<G, Room>,
    serial: Room,
    waves: Vec<Vec<T>>,
    start: usize,
}

impl<G: Ord + Copy, T> Packer<G, T> {
    /// `serial`: the most in the first, second, ... wave; the last number holds for all others.
    pub fn new(serial: Vec<usize>) -> Self {
        let serial = Room { most: serial, taken: BTreeMap::new(), begins: 0 };
        Self { rooms: BTreeMap::new(), serial, waves: Vec::new(), start: 0 }
    }

    /// Whoever comes from now on goes after all that are placed.
    pub fn close(&mut self) {
        self.start = self.waves.len();
    }

    /// Places one.
    pub fn place(&mut self, thing: T, groups: &[G], most: impl Fn(G) -> usize) {
        let mut wave = self.start;
        loop {
            let from = wave;
            wave = self.serial.first(wave, self.start);
            for group in groups {
                let new = || Room { most: vec![most(*group)], taken: BTreeMap::new(), begins: 0 };
                wave = self.rooms.entry(*group).or_insert_with(new).first(wave, self.start);
            }
            if wave == from {
                break;
            }
        }
        *self.serial.taken.entry(wave).or_default() += 1;
        for group in groups {
            if let Some(room) = self.rooms.get_mut(group) {
                *room.taken.entry(wave).or_default() += 1;
            }
        }
        if self.waves.len() <= wave {
            self.waves.resize_with(wave + 1, Vec::new);
        }
        if let Some(things) = self.waves.get_mut(wave) {
            things.push(thing);
        }
    }

    /// The waves, in order; none is empty.
    pub fn finish(self) -> Vec<Vec<T>> {
        self.waves.into_iter().filter(|wave| !wave.is_empty()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pack(serial: &[usize], lanes: &[&[(char, &[usize])]], most: usize) -> Vec<String> {
        let mut packer = Packer::new(serial.to_vec());
        for lane in lanes {
            packer.close();
            for (thing, groups) in *lane {
                packer.place(*thing, groups, |_| most);
            }
        }
        packer.finish().into_iter().map(|wave| wave.into_iter().collect()).collect()
    }

    #[test]
    fn a_wave_holds_as_many_of_a_group_as_may_be_away() {
        let lane: &[(char, &[usize])] = &[('a', &[1]), ('b', &[1]), ('c', &[1]), ('d', &[2]), ('e', &[1, 2])];
        assert_eq!(pack(&[], &[lane], 1), ["ad", "b", "c", "e"]);
        assert_eq!(pack(&[], &[lane], 2), ["abd", "ce"]);
        assert_eq!(pack(&[], &[lane], 9), ["abcde"]);
    }

    #[test]
    fn the_last_number_of_the_list_holds_for_all_further_waves() {
        let lane: &[(char, &[usize])] = &[('a', &[]), ('b', &[]), ('c', &[]), ('d', &[]), ('e', &[]), ('f', &[])];
        assert_eq!(pack(&[1, 2], &[lane], 1), ["a", "bc", "de", "f"]);
    }

    #[test]
    fn who_comes_after_a_close_goes_after_all_that_were_placed() {
        let lanes: &[&[(char, &[usize])]] = &[&[('a', &[1])], &[('b', &[2]), ('c', &[1])], &[('d', &[3])]];
        assert_eq!(pack(&[], lanes, 1), ["a", "bc", "d"]);
    }
}
