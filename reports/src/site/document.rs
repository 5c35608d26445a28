//! Markdown as HTML.
//!
//! The suite's documents are trusted, but those of a folder of reports may quote a peer. So hidden
//! characters are escaped, only the tags of a folded block become markup, pictures become their text,
//! and a link that leads nowhere becomes plain text. Anchors follow GitHub's rules.

use std::collections::BTreeMap;

use maud::{Markup, PreEscaped, html};
use pulldown_cmark::{CodeBlockKind, CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use crate::escape;

/// The tags of raw HTML that stay markup.
const TAGS: [&str; 5] = ["<details>", "</details>", "<summary>", "</summary>", "<br>"];

/// A document, ready to be shown.
#[derive(Debug)]
pub(super) struct Rendered {
    /// The text of its first heading. The body does not have it.
    pub(super) title: String,
    pub(super) body: Markup,
    /// The level, the id and the text of each other heading.
    pub(super) headings: Vec<(usize, String, String)>,
    /// Its first paragraph, as text.
    pub(super) start: String,
    /// The target of each link, and how many headings are above it.
    pub(super) links: Vec<(String, usize)>,
}

/// How a document is rendered.
pub(super) struct Style<'a> {
    /// The start of the ids of headings.
    pub(super) prefix: &'a str,
    /// By how many levels each heading is lowered.
    pub(super) lowered: usize,
    /// The address of a link; `None` if it leads nowhere.
    pub(super) link: &'a dyn Fn(&str) -> Option<String>,
}

/// Renders a document.
pub(super) fn render(text: &str, style: &Style<'_>) -> Rendered {
    let events: Vec<Event<'_>> = Parser::new_ext(text, Options::ENABLE_TABLES).collect();
    let mut writer = Writer {
        style,
        out: Vec::new(),
        anchors: BTreeMap::new(),
        tables: 0,
        title: None,
        headings: Vec::new(),
        links: Vec::new(),
    };
    let start = first_paragraph(&events);
    let mut rest = events.as_slice();
    while let Some((first, after)) = rest.split_first() {
        rest = writer.take(first, after);
    }
    let mut body = String::new();
    pulldown_cmark::html::push_html(&mut body, writer.out.into_iter());
    let title = writer.title.unwrap_or_default();
    Rendered { title, body: PreEscaped(body), headings: writer.headings, start, links: writer.links }
}

struct Writer<'s, 'e> {
    style: &'s Style<'s>,
    out: Vec<Event<'e>>,
    /// How often each anchor occurred.
    anchors: BTreeMap<String, usize>,
    tables: usize,
    title: Option<String>,
    headings: Vec<(usize, String, String)>,
    links: Vec<(String, usize)>,
}

impl<'e> Writer<'_, 'e> {
    /// Takes an event, and as many of those after it as belong to it. Gives the rest.
    fn take<'r>(&mut self, event: &Event<'e>, rest: &'r [Event<'e>]) -> &'r [Event<'e>] {
        match event {
            Event::Start(Tag::Heading { level, .. }) => return self.heading(*level, rest),
            Event::Start(Tag::CodeBlock(kind)) => return self.code(kind, rest),
            Event::Start(Tag::Link { dest_url, .. }) => return self.link(dest_url, rest),
            Event::Start(Tag::Image { .. }) | Event::End(TagEnd::Image) => {}
            // Alignment would be an inline style, which the pages forbid.
            Event::Start(Tag::Table(_)) => {
                self.tables += 1;
                // A wide table scrolls, also with the keys.
                let label = format!("{}table {}", self.style.prefix.replace('-', " "), self.tables);
                self.raw(format!(
                    "<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"{label}\">"
                ));
                self.out.push(Event::Start(Tag::Table(Vec::new())));
            }
            // Even in the head of a table: a heading must have a text.
            Event::Start(Tag::TableCell) if matches!(rest.first(), Some(Event::End(TagEnd::TableCell))) => {
                self.raw("<td></td>".to_owned());
                return rest.get(1..).unwrap_or_default();
            }
            Event::End(TagEnd::Table) => {
                self.out.push(event.clone());
                self.raw("</div>".to_owned());
            }
            Event::Html(text) | Event::InlineHtml(text) => self.raw(tags(text)),
            Event::Text(text) => self.out.push(Event::Text(visible(text).into())),
            Event::Code(text) => self.out.push(Event::Code(visible(text).into())),
            _ => self.out.push(event.clone()),
        }
        rest
    }

    fn raw(&mut self, html: String) {
        self.out.push(Event::InlineHtml(html.into()));
    }

    fn heading<'r>(&mut self, level: HeadingLevel, rest: &'r [Event<'e>]) -> &'r [Event<'e>] {
        let end =
            rest.iter().position(|it| matches!(it, Event::End(TagEnd::Heading(_)))).unwrap_or(rest.len());
        let (inner, after) = rest.split_at(end);
        let after = after.get(1..).unwrap_or_default();
        let text = plain(inner);
        if level == HeadingLevel::H1 && self.title.is_none() {
            self.title = Some(text);
            return after;
        }
        let id = self.anchor(&text);
        let lowered = (level as usize + self.style.lowered).min(6);
        self.headings.push((lowered, id.clone(), text));
        self.raw(html! { (PreEscaped(format!("<h{lowered} id=\""))) (id) (PreEscaped("\">")) }.into_string());
        let mut inner = inner;
        while let Some((first, after)) = inner.split_first() {
            inner = self.take(first, after);
        }
        self.raw(format!("</h{lowered}>\n"));
        after
    }

    /// The id of a heading. One that repeats another gets a number.
    fn anchor(&mut self, text: &str) -> String {
        let kept = text.trim().chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        let anchor: String =
            kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect();
        let repeats = self.anchors.entry(anchor.clone()).or_default();
        *repeats += 1;
        let number = if *repeats == 1 { String::new() } else { format!("-{}", *repeats - 1) };
        format!("{}{anchor}{number}", self.style.prefix)
    }

    /// A block of code. The source of a diagram is folded, because the site does not draw it.
    fn code<'r>(&mut self, kind: &CodeBlockKind<'e>, rest: &'r [Event<'e>]) -> &'r [Event<'e>] {
        let end =
            rest.iter().position(|it| matches!(it, Event::End(TagEnd::CodeBlock))).unwrap_or(rest.len());
        let (inner, after) = rest.split_at(end);
        let text: String =
            inner.iter().map(|it| if let Event::Text(text) = it { &**text } else { "" }).collect();
        let block = html! { pre { code { (visible(&text)) } } };
        let block = match kind {
            CodeBlockKind::Fenced(language) if &**language == "mermaid" => {
                html! { details { summary { "diagram, as text for Mermaid" } (block) } }
            }
            _ => block,
        };
        self.raw(block.into_string());
        after.get(1..).unwrap_or_default()
    }

    /// A link with its text. Links do not nest.
    fn link<'r>(&mut self, to: &CowStr<'e>, rest: &'r [Event<'e>]) -> &'r [Event<'e>] {
        let end = rest.iter().position(|it| matches!(it, Event::End(TagEnd::Link))).unwrap_or(rest.len());
        let (mut inner, after) = rest.split_at(end);
        let address = (self.style.link)(to);
        self.links.push((to.to_string(), self.headings.len()));
        if let Some(address) = &address {
            self.raw(
                html! { (PreEscaped("<a href=\"")) (escape::terminal(address)) (PreEscaped("\">")) }
                    .into_string(),
            );
        }
        while let Some((first, after)) = inner.split_first() {
            inner = self.take(first, after);
        }
        if address.is_some() {
            self.raw("</a>".to_owned());
        }
        after.get(1..).unwrap_or_default()
    }
}

/// The text of these events.
fn plain(events: &[Event<'_>]) -> String {
    let text = |event: &Event<'_>| match event {
        Event::Text(text) | Event::Code(text) => escape::terminal(&**text),
        Event::SoftBreak | Event::HardBreak => " ".to_owned(),
        _ => String::new(),
    };
    events.iter().map(text).collect()
}

fn first_paragraph(events: &[Event<'_>]) -> String {
    let start =
        events.iter().position(|it| matches!(it, Event::Start(Tag::Paragraph))).unwrap_or(events.len());
    let inner = events[start..].iter();
    let inner: Vec<Event<'_>> =
        inner.take_while(|it| !matches!(it, Event::End(TagEnd::Paragraph))).cloned().collect();
    plain(&inner)
}

/// A text with all its lines, and hidden characters made visible.
fn visible(text: &str) -> String {
    text.split('\n').map(escape::terminal).collect::<Vec<_>>().join("\n")
}

/// Raw HTML: the known tags, and all else as text.
fn tags(mut text: &str) -> String {
    let mut out = String::new();
    while !text.is_empty() {
        let next = TAGS.iter().filter_map(|tag| Some((text.find(tag)?, *tag))).min();
        let (at, tag) = next.unwrap_or((text.len(), ""));
        out.push_str(&html! { (visible(&text[..at])) }.into_string());
        out.push_str(tag);
        text = &text[at + tag.len()..];
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(text: &str) -> Rendered {
        let link = |to: &str| to.starts_with("https:").then(|| to.to_owned());
        render(text, &Style { prefix: "x-", lowered: 1, link: &link })
    }

    fn body(text: &str) -> String {
        rendered(text).body.into_string()
    }

    #[test]
    fn headings_have_the_anchors_of_github() {
        let it = rendered("# Title `a`\nThe start\ngoes on.\n## A `--flag`, and more\n## Same\n### Same\n");
        assert_eq!((it.title.as_str(), it.start.as_str()), ("Title a", "The start goes on."));
        let ids: Vec<&str> = it.headings.iter().map(|(_, id, _)| id.as_str()).collect();
        assert_eq!(ids, ["x-a---flag-and-more", "x-same", "x-same-1"]);
        assert!(
            it.body.0.contains("<h3 id=\"x-a---flag-and-more\">A <code>--flag</code>, and more</h3>"),
            "{}",
            it.body.0
        );
    }

    #[test]
    fn markup_stays_text() {
        let text = body(
            "a <img src=x onerror=alert(1)> b\n\n<script>alert(1)</script>\n\n![pic](javascript:x) [l](javascript:x)\n",
        );
        assert!(!text.contains("<img") && !text.contains("<script") && !text.contains("href"), "{text}");
        assert!(text.contains("&lt;script&gt;alert(1)&lt;/script&gt;") && text.contains("pic"), "{text}");
        assert!(body("`\u{202e}\u{1b}[2J`").contains(r"\u{202e}\x1b[2J"));
        assert!(body("[a](https://x/\"onclick=y)").contains("&quot;onclick"));
    }

    #[test]
    fn folded_blocks_stay_folded() {
        let text = body("<details><summary>as <b>text</b></summary>\n\n```text\n<b>\n```\n\n</details>\n");
        assert!(text.starts_with("<details><summary>as &lt;b&gt;text"), "{text}");
        assert!(
            text.contains("<pre><code>&lt;b&gt;\n</code></pre>") && text.contains("</details>"),
            "{text}"
        );
    }

    #[test]
    fn a_wide_table_scrolls() {
        assert!(body("| | b |\n|---|---|\n").contains("<tr><td></td><th>b</th></tr>"));
        let text = body("| a | b |\n|---|---|\n| `x\\|y` | **z** |\n");
        assert!(text.contains("<div class=\"scroll\" tabindex=\"0\" role=\"group\""), "{text}");
        assert!(text.contains("<td><code>x|y</code></td><td><strong>z</strong></td>"), "{text}");
    }
}
