//! Keys that have a file of their own take their place among the others.
//! Must not know what keys mean.

use super::key::Key;

/// The keys `own`, and behind the last of a section those that `more` has for it: `N` keys altogether.
pub(super) const fn joined<const N: usize>(own: &[Key], more: &[(&[u8], &[Key])]) -> [Key; N] {
    let mut all = [own[0]; N];
    let (mut from, mut to) = (0, 0);
    while from < own.len() {
        all[to] = own[from];
        (from, to) = (from + 1, to + 1);
        let mut place = 0;
        while place < more.len() {
            let (section, keys) = more[place];
            let is_last = from == own.len() || !equal(own[from].section.as_bytes(), section);
            if is_last && equal(own[from - 1].section.as_bytes(), section) {
                let mut next = 0;
                while next < keys.len() {
                    all[to] = keys[next];
                    (next, to) = (next + 1, to + 1);
                }
            }
            place += 1;
        }
    }
    all
}

const fn equal(a: &[u8], b: &[u8]) -> bool {
    let mut at = 0;
    while at < a.len() && at < b.len() && a[at] == b[at] {
        at += 1;
    }
    at == a.len() && at == b.len()
}
