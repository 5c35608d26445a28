//! Matches texts against the grammar of `PROTOCOL.md`.

use abnf::types::{Node, Repeat, Rule, TerminalValues};
use std::collections::{BTreeMap, BTreeSet};

/// The rules that the grammar takes from RFC 8259 and RFC 5234. White space has no newline.
const BORROWED: &str = r#"
begin-array     = ws %x5B ws
begin-object    = ws %x7B ws
end-array       = ws %x5D ws
end-object      = ws %x7D ws
name-separator  = ws %x3A ws
value-separator = ws %x2C ws
ws              = *( %x20 / %x09 / %x0D )
value           = %x66.61.6c.73.65 / %x6e.75.6c.6c / %x74.72.75.65 / object / array / number / string
object          = begin-object [ member *( value-separator member ) ] end-object
member          = string name-separator value
array           = begin-array [ value *( value-separator value ) ] end-array
number          = [ %x2D ] ( %x30 / %x31-39 *DIGIT ) [ %x2E 1*DIGIT ] [ ( %x65 / %x45 ) [ %x2D / %x2B ] 1*DIGIT ]
string          = quotation-mark *char quotation-mark
char            = %x20-21 / %x23-5B / %x5D-10FFFF / %x5C ( %x22 / %x5C / %x2F / %x62 / %x66 / %x6E / %x72 / %x74 / %x75 4HEXDIG )
quotation-mark  = %x22
DIGIT           = %x30-39
HEXDIG          = DIGIT / %x41-46 / %x61-66
LF              = %x0A
"#;

/// A set of ABNF rules.
pub(crate) struct Grammar(BTreeMap<String, Node>);

impl Grammar {
    /// Reads the rules of `text`, and adds those that it borrows.
    ///
    /// # Errors
    /// The text is not ABNF, defines a rule twice, or uses a rule that no one defines.
    pub(crate) fn read(text: &str) -> Result<Grammar, String> {
        let mut rules = BTreeMap::new();
        for rule in parsed(text)?.into_iter().chain(parsed(BORROWED)?) {
            if rules.insert(rule.name().to_owned(), rule.node().clone()).is_some() {
                return Err(format!("{} is defined twice", rule.name()));
            }
        }
        let mut used = BTreeSet::new();
        rules.values().for_each(|node| names(node, &mut used));
        match used.iter().find(|name| !rules.contains_key(*name)) {
            Some(name) => Err(format!("{name} is not defined")),
            None => Ok(Grammar(rules)),
        }
    }

    /// Whether the whole text matches the rule.
    pub(crate) fn matches(&self, rule: &str, text: &str) -> bool {
        let text: Vec<char> = text.chars().collect();
        self.ends(&Node::Rulename(rule.to_owned()), &text, &BTreeSet::from([0])).contains(&text.len())
    }

    /// Where a match of the node can end, if it begins at one of `starts`.
    fn ends(&self, node: &Node, text: &[char], starts: &BTreeSet<usize>) -> BTreeSet<usize> {
        if starts.is_empty() {
            return BTreeSet::new();
        }
        match node {
            Node::Alternatives(nodes) => {
                nodes.iter().flat_map(|node| self.ends(node, text, starts)).collect()
            }
            Node::Concatenation(nodes) => {
                nodes.iter().fold(starts.clone(), |starts, node| self.ends(node, text, &starts))
            }
            Node::Repetition { repeat, node } => self.repeated(repeat, node, text, starts),
            Node::Rulename(name) => self.ends(&self.0[name], text, starts),
            Node::Group(node) => self.ends(node, text, starts),
            Node::Optional(node) => &self.ends(node, text, starts) | starts,
            Node::String(word) => {
                let word: Vec<char> = word.value().chars().collect();
                let is_here = |at: &usize| {
                    text[*at..].len() >= word.len()
                        && text[*at..].iter().zip(&word).all(|(a, b)| a.eq_ignore_ascii_case(b))
                };
                starts.iter().copied().filter(is_here).map(|at| at + word.len()).collect()
            }
            Node::TerminalValues(TerminalValues::Range(from, to)) => {
                let is_here =
                    |at: &usize| text.get(*at).is_some_and(|c| (*from..=*to).contains(&u32::from(*c)));
                starts.iter().copied().filter(is_here).map(|at| at + 1).collect()
            }
            Node::TerminalValues(TerminalValues::Concatenation(codes)) => {
                let word: Vec<char> = codes.iter().copied().filter_map(char::from_u32).collect();
                starts
                    .iter()
                    .copied()
                    .filter(|at| text[*at..].starts_with(&word))
                    .map(|at| at + word.len())
                    .collect()
            }
            Node::Prose(_) => BTreeSet::new(),
        }
    }

    fn repeated(
        &self,
        repeat: &Repeat,
        node: &Node,
        text: &[char],
        starts: &BTreeSet<usize>,
    ) -> BTreeSet<usize> {
        let (least, most) = repeat.min_max();
        let (least, most) = (least.unwrap_or(0), most.unwrap_or(usize::MAX));
        let (mut all, mut now, mut round) = (BTreeSet::new(), starts.clone(), 0);
        loop {
            let new: BTreeSet<usize> = now.difference(&all).copied().collect();
            if round >= least {
                all.extend(&now);
            }
            if round >= most || (round >= least && new.is_empty()) || now.is_empty() {
                return all;
            }
            now = self.ends(node, text, if round >= least { &new } else { &now });
            round += 1;
        }
    }
}

/// The rules of a text, whose lines may be indented and need no CRLF.
fn parsed(text: &str) -> Result<Vec<Rule>, String> {
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let text: String = lines.flat_map(|line| [line, "\r\n"]).collect();
    abnf::rulelist(&text).map_err(|error| error.to_string())
}

/// The names of the rules that a node uses.
fn names(node: &Node, used: &mut BTreeSet<String>) {
    match node {
        Node::Alternatives(nodes) | Node::Concatenation(nodes) => {
            nodes.iter().for_each(|node| names(node, used))
        }
        Node::Repetition { node, .. } | Node::Group(node) | Node::Optional(node) => names(node, used),
        Node::Rulename(name) => {
            used.insert(name.clone());
        }
        _ => {}
    }
}
