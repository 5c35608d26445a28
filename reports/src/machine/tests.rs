use super::MachineFormat;
use super::sample::{differing, equal, faulty};
use crate::text::Options;

#[test]
#[ignore = "writes samples to look at"]
fn look() {
    for (name, learned) in [("equal", equal()), ("differing", differing()), ("faulty", faulty())] {
        for format in MachineFormat::ALL {
            let text = format.render(&learned, Options { width: 80, ..Options::default() }).unwrap();
            std::fs::write(format!("/tmp/draw/out/{name}.{format}"), text).unwrap();
        }
    }
}
