//! Finds the names that a mistyped word most likely means.

/// How alike two words must be, from 0 to 1: `rnu` is as like `run` as 0.67.
const ALIKE: f64 = 0.65;

/// How many names are suggested.
const FEW: usize = 3;

/// The names that are most like this word, the nearest first.
#[must_use]
pub(crate) fn nearest<'a>(word: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let scored = names.into_iter().map(|name| (strsim::normalized_damerau_levenshtein(word, name), name));
    let mut alike: Vec<(f64, &str)> = scored.filter(|(score, _)| *score > ALIKE).collect();
    alike.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    alike.into_iter().take(FEW).map(|(_, name)| name).collect()
}

/// `; did you mean NAME?`, or nothing.
#[must_use]
pub(crate) fn did_you_mean<'a>(word: &str, names: impl IntoIterator<Item = &'a str>) -> String {
    nearest(word, names).first().map(|name| format!("; did you mean {name}?")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_comes_first() {
        let names = ["record", "report", "replay", "run", "serve"];
        assert_eq!(nearest("runn", names), ["run"]);
        assert_eq!(nearest("rnu", names), ["run"]);
        assert_eq!(nearest("reprot", names), ["report"]);
        assert!(nearest("nonsense", names).is_empty());
    }
}
