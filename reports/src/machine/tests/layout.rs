use super::*;
use crate::machine::layout::{Layout, Link, Size, layout};

#[test]
fn one_box_has_a_margin() {
    let layout = layout(&[Size { width: 10.0, height: 10.0 }], &[]);
    assert_eq!((layout.size, layout.boxes), (Size { width: 26.0, height: 26.0 }, vec![(8.0, 8.0)]));
}

/// Boxes with the given sizes, as corners.
fn areas(layout: &Layout, boxes: &[Size], links: &[Link]) -> Vec<[f64; 4]> {
    let sizes = boxes.iter().copied().chain(links.iter().map(|link| link.label));
    let corners = layout.boxes.iter().chain(&layout.labels);
    corners.zip(sizes).map(|(&(x, y), size)| [x, y, x + size.width, y + size.height]).collect()
}

fn size() -> impl Strategy<Value = Size> {
    (20.0..400.0_f64, 20.0..300.0_f64).prop_map(|(width, height)| Size { width, height })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn states_and_labels_never_overlap(
        boxes in prop::collection::vec(size(), 2..9),
        links in prop::collection::vec((0..9_usize, 1..9_usize, size()), 0..20),
    ) {
        let count = boxes.len();
        let link = |(from, by, label): &(usize, usize, Size)| {
            let from = from % count;
            Link { from, to: (from + 1 + by % (count - 1)) % count, label: *label }
        };
        let links: Vec<Link> = links.iter().map(link).collect();
        let layout = layout(&boxes, &links);
        let areas = areas(&layout, &boxes, &links);
        for (number, a) in areas.iter().enumerate() {
            prop_assert!(a[0] >= 0.0 && a[1] >= 0.0 && a[2] <= layout.size.width && a[3] <= layout.size.height);
            for b in &areas[number + 1..] {
                let apart = a[2] <= b[0] || b[2] <= a[0] || a[3] <= b[1] || b[3] <= a[1];
                prop_assert!(apart, "{a:?} and {b:?}");
            }
        }
        for (link, [first, second]) in links.iter().zip(&layout.lines) {
            let near = |point: &(f64, f64), area: &[f64; 4]| {
                point.0 >= area[0] - 1.0 && point.0 <= area[2] + 1.0 && point.1 >= area[1] - 1.0 && point.1 <= area[3] + 1.0
            };
            prop_assert!(near(&first[0], &areas[link.from]), "a line starts at its state");
            prop_assert!(near(second.last().unwrap(), &areas[link.to]), "a line ends at its state");
        }
    }
}
