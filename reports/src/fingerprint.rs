//! The stable short hash of a difference.
//!
//! Baselines and campaigns recognise a finding by its fingerprint. It therefore depends only on
//! properties that stay the same from run to run, never on values, ids, order or standard error. It
//! is `1:`, the version of this recipe, and twelve hex digits.
//!
//! The recipe, for other languages: write each field as its length in bytes in decimal, `:`, its
//! UTF-8 bytes, `,`; join them in the order of the parameters; hash the result with 64-bit FNV-1a;
//! xor the upper 16 bits into the lower 48.
//!
//! FNV-1a is enough here. A fingerprint distinguishes the few differences that one case can show;
//! it authenticates nothing, so an attacker gains nothing by a collision. Eight lines need no
//! dependency.

use crate::event::Kind;

/// The version of the recipe. A new recipe gets a new number, so that old baselines are recognised.
pub const VERSION: u32 = 1;

const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01b3;

/// The fingerprint of one difference.
///
/// `path` has names for functions. `class` is the class of the actual behaviour: a JSON type,
/// `absent`, `closed`, an exit status or a signal.
#[must_use]
pub fn fingerprint(case: &str, clause: &str, step: &str, kind: Kind, path: &str, class: &str) -> String {
    of([case, clause, step, kind.word(), path, class])
}

/// The fingerprint of these fields, in the order of the recipe.
fn of(fields: [&str; 6]) -> String {
    let hash = fields.iter().fold(OFFSET, |hash, field| {
        let hash = fnv(hash, format!("{}:", field.len()).as_bytes());
        fnv(fnv(hash, field.as_bytes()), b",")
    });
    let folded = (hash >> 48) ^ (hash & 0xffff_ffff_ffff);
    format!("{VERSION}:{folded:012x}")
}

fn fnv(start: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(start, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(PRIME))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An independent implementation of the recipe in Python computed these values.
    #[test]
    fn values_are_pinned() {
        let order = "message/argument-order";
        let some = fingerprint(order, order, "step 2", Kind::Differs, "arguments[0]", "number");
        assert_eq!(some, "1:e42d1315a9f6");
        assert_eq!(of([""; 6]), "1:f639b6aa8da8");
    }

    #[test]
    fn fields_do_not_run_into_each_other() {
        let samples = [
            of(["ab", "c", "", "", "", ""]),
            of(["a", "bc", "", "", "", ""]),
            of(["abc", "", "", "", "", ""]),
            of(["", "abc", "", "", "", ""]),
            of(["a,1:b", "c", "", "", "", ""]),
            of(["a", "b,1:c", "", "", "", ""]),
        ];
        let distinct: std::collections::BTreeSet<_> = samples.iter().collect();
        assert_eq!(distinct.len(), samples.len());
    }
}
