//! Each format for an equal machine and for one with differences. The snapshots are long, so they
//! have files of their own: `INSTA_UPDATE=always cargo test -p dnode-reports --lib machine` writes
//! them.

use super::*;

/// The text in lines, without what other tests cover: the style sheets and the script.
fn lines(format: MachineFormat, text: &str) -> String {
    let start = match format {
        MachineFormat::Svg => "</style>",
        MachineFormat::Html => "</head>",
        _ => return text.to_owned(),
    };
    let (before, after) = text.split_once(start).unwrap();
    let title = before.split_once("<style>").unwrap().0;
    format!("{title}{after}").replace("><", ">\n<")
}

#[test]
fn formats_are_as_before() {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for (name, learned) in [("equal", equal()), ("differing", differing())] {
        // JSON is the format of `dnode-spec`, which has a test for it.
        for format in MachineFormat::ALL.into_iter().filter(|it| *it != MachineFormat::Json) {
            let text = lines(format, &render(format, &learned));
            settings.bind(|| insta::assert_snapshot!(format!("{name}.{format}"), text));
        }
    }
}
