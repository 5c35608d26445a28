//! Draws the tables of states as Mermaid diagrams for `spec/PROTOCOL.md`.

use super::{Event, State, TABLE, Transition, connection};

/// The end from whose side a diagram tells the life of an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The end that declares the id.
    Owner,
    /// The end that calls and culls the id.
    Holder,
}

/// One arrow: the state before, the label, and the state after.
type Arrow = (String, String, String);

/// The life of an id in dialect 0.2, from [`TABLE`].
///
/// [`State::Ambiguous`] exists only for an observer, so it is not drawn. An owner that has read a
/// cull does not care if the holder knows that: [`State::Culling`] and [`State::Gone`] are one.
#[must_use]
pub fn of_id(role: Role) -> String {
    let rows = TABLE.iter().filter(|(_, event, ..)| *event != Event::CulledByEither);
    let arrows = rows.filter_map(|row| {
        let (from, to) = (name(role, row.0), name(role, row.2));
        label(role, row, from == to).map(|label| (from.to_owned(), label, to.to_owned()))
    });
    draw(name(role, State::Unknown), None, arrows)
}

/// The life of a connection, from [`connection::TABLE`].
#[must_use]
pub fn of_connection() -> String {
    let word = |state: connection::State| format!("{state:?}");
    let label = |event: connection::Event| match event {
        connection::Event::Sent => "sends a message",
        connection::Event::Received => "reads a line that is JSON",
        connection::Event::Malformed => "reads a line that is not JSON",
        connection::Event::InputEnded => "reads the end of the input",
        connection::Event::Written => "has written all output that is ready",
    };
    let arrows =
        connection::TABLE.iter().map(|(from, event, to)| (word(*from), label(*event).to_owned(), word(*to)));
    draw(&word(connection::State::Open), Some(&word(connection::State::Closed)), arrows)
}

fn name(role: Role, state: State) -> &'static str {
    match (role, state) {
        (_, State::Unknown) => "Unknown",
        (_, State::Live) => "Live",
        (Role::Holder, State::Culling) => "Culling",
        (Role::Owner, State::Culling) | (_, State::Gone) => "Gone",
        (_, State::Ambiguous) => "Ambiguous",
    }
}

/// The words for a row on the side of `role`; `None` if this end does not notice the event.
fn label(role: Role, row: &Transition, stays: bool) -> Option<String> {
    let (before, event, _, breaks) = *row;
    let again = if before == State::Unknown { "" } else { " again" };
    let words = match (role, event) {
        (_, Event::CulledByEither) | (Role::Owner, Event::Answered) => return None,
        (Role::Owner, Event::Declared) => format!("declares it{again}"),
        (Role::Owner, Event::Called) if breaks.is_some() => "ignores a call".to_owned(),
        (Role::Owner, Event::Called) => "runs a call".to_owned(),
        (Role::Owner, Event::Culled) if stays => "ignores a cull".to_owned(),
        (Role::Owner, Event::Culled) => "reads a cull".to_owned(),
        (Role::Holder, Event::Declared) => format!("reads a declaration{again}"),
        (Role::Holder, Event::Answered) => "reads an answer to a later message".to_owned(),
        (Role::Holder, Event::Called | Event::Culled) => {
            let verb = if event == Event::Called { "call" } else { "cull" };
            match breaks {
                Some(clause) => format!("must not {verb} it ({clause})"),
                None if event == Event::Culled && stays => "may cull it again".to_owned(),
                None => format!("{verb}s it"),
            }
        }
    };
    Some(words)
}

/// A box for each state with the events that keep it, and one arrow for each other pair of states.
/// Arrows from a state to itself would cover each other's labels.
fn draw(start: &str, end: Option<&str>, arrows: impl Iterator<Item = Arrow>) -> String {
    let mut joined: Vec<Arrow> = Vec::new();
    for (from, label, to) in arrows {
        match joined.iter_mut().find(|arrow| arrow.0 == from && arrow.2 == to) {
            Some(arrow) if arrow.1.split("<br/>").any(|known| known == label) => {}
            Some(arrow) => arrow.1 = format!("{}<br/>{label}", arrow.1),
            None => joined.push((from, label, to)),
        }
    }
    let mut out = format!("```mermaid\nstateDiagram-v2\n    [*] --> {start}\n");
    for (from, label, to) in joined {
        out.push_str(&match from == to {
            true => format!("    {from}: {from}\n    {from}: {label}\n"),
            false => format!("    {from} --> {to}: {label}\n"),
        });
    }
    if let Some(end) = end {
        out.push_str(&format!("    {end} --> [*]\n"));
    }
    out + "```\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_owner_sees_three_states() {
        insta::assert_snapshot!(of_id(Role::Owner), @r"
        ```mermaid
        stateDiagram-v2
            [*] --> Unknown
            Unknown --> Live: declares it
            Unknown: Unknown
            Unknown: ignores a call<br/>ignores a cull
            Live: Live
            Live: declares it again<br/>runs a call
            Live --> Gone: reads a cull
            Gone --> Live: declares it again
            Gone: Gone
            Gone: ignores a call<br/>ignores a cull
        ```
        ");
    }

    #[test]
    fn the_holder_sees_its_cull_until_an_answer() {
        insta::assert_snapshot!(of_id(Role::Holder), @r"
        ```mermaid
        stateDiagram-v2
            [*] --> Unknown
            Unknown --> Live: reads a declaration
            Unknown: Unknown
            Unknown: must not call it (callback/declared)<br/>must not cull it (cull/declared)
            Live: Live
            Live: reads a declaration again<br/>calls it
            Live --> Culling: culls it
            Culling --> Live: reads a declaration again
            Culling: Culling
            Culling: must not call it (callback/not-culled)<br/>may cull it again
            Culling --> Gone: reads an answer to a later message
            Gone --> Live: reads a declaration again
            Gone: Gone
            Gone: must not call it (callback/not-culled)<br/>may cull it again
        ```
        ");
    }

    #[test]
    fn a_connection_drains_before_it_closes() {
        insta::assert_snapshot!(of_connection(), @r"
        ```mermaid
        stateDiagram-v2
            [*] --> Open
            Open: Open
            Open: sends a message<br/>reads a line that is JSON
            Open --> Draining: reads a line that is not JSON<br/>reads the end of the input
            Draining --> Closed: has written all output that is ready
            Closed --> [*]
        ```
        ");
    }
}
