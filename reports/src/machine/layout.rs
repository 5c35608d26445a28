//! Places the boxes, labels and lines of a drawing, with the library `layout-rs`.
//!
//! Why this library: it has the licence MIT and no dependencies. It places boxes of any size in rows
//! (Sugiyama, with Brandes and Köpf for the columns), and it also routes lines around other boxes.
//! `rust-sugiyama` gives only the places of boxes, so long lines would cross them. `ascii-dag` needs
//! a newer Rust than this workspace.
//!
//! Each label is a box on its line: a line runs from a state to the label and from there to the next
//! state. So labels cannot overlap each other or a state, and can have several lines.

use layout::core::base::Orientation;
use layout::core::format::{ClipHandle, RenderBackend, Visible};
use layout::core::geometry::{Point, Position};
use layout::core::style::{LineStyleKind, StyleAttr};
use layout::std_shapes::shapes::{Arrow, Element, LineEndKind, ShapeKind};
use layout::topo::layout::VisualGraph;

/// How far a box is from the edge of the space that it takes, in each direction.
const HALO: f64 = 24.0;

/// The space around the drawing.
const MARGIN: f64 = 8.0;

/// A width and a height.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Size {
    pub(super) width: f64,
    pub(super) height: f64,
}

/// A label between two boxes, which are indexes of the boxes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Link {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) label: Size,
}

/// A drawing with all places. A place is the left upper corner of a box.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Layout {
    pub(super) size: Size,
    pub(super) boxes: Vec<(f64, f64)>,
    pub(super) labels: Vec<(f64, f64)>,
    /// Two lines for each link: to the label, and from it.
    pub(super) lines: Vec<[Curve; 2]>,
}

/// The points of a line of cubic Bézier curves: the start, and then three points for each curve.
pub(super) type Curve = Vec<(f64, f64)>;

/// Places boxes and links. A link must connect different boxes.
pub(super) fn layout(boxes: &[Size], links: &[Link]) -> Layout {
    let mut graph = VisualGraph::new(Orientation::TopToBottom);
    let add = |graph: &mut VisualGraph, size: Size| {
        let shape = ShapeKind::Box(String::new());
        let point = Point::new(size.width, size.height);
        let mut element = Element::create(shape, StyleAttr::simple(), Orientation::TopToBottom, point);
        *element.position_mut() = Position::new(Point::zero(), point, Point::zero(), Point::splat(HALO));
        graph.add_node(element)
    };
    let nodes: Vec<_> = boxes.iter().map(|size| add(&mut graph, *size)).collect();
    let labels: Vec<_> = links.iter().map(|link| add(&mut graph, link.label)).collect();
    for (link, label) in links.iter().zip(&labels) {
        // All lines of the graph lead to boxes with higher numbers, so that it has no circle. The
        // label of a line that leads back would otherwise be below both boxes.
        let (upper, lower) = (link.from.min(link.to), link.from.max(link.to));
        graph.add_edge(line(), nodes[upper], *label);
        graph.add_edge(line(), *label, nodes[lower]);
    }
    let mut lines = Lines::default();
    graph.do_it(false, false, false, &mut lines);
    let corner = |node: &_| {
        let position = graph.pos(*node);
        let (upper_left, _) = position.bbox(false);
        (upper_left.x, upper_left.y)
    };
    let curves = lines.0.chunks_exact(2).zip(links).map(|(pair, link)| match pair {
        [first, second] if link.from < link.to => [first.clone(), second.clone()],
        [first, second] => [backward(second), backward(first)],
        _ => [Vec::new(), Vec::new()],
    });
    let layout = Layout {
        size: Size { width: 0.0, height: 0.0 },
        boxes: nodes.iter().map(corner).collect(),
        labels: labels.iter().map(corner).collect(),
        lines: curves.collect(),
    };
    layout.at_origin(boxes, links)
}

fn line() -> Arrow {
    let end = LineEndKind::None;
    Arrow::new(end, end, LineStyleKind::Normal, "", &StyleAttr::simple(), &None, &None)
}

fn backward(curve: &Curve) -> Curve {
    curve.iter().rev().copied().collect()
}

impl Layout {
    /// The drawing, moved so that it starts at the origin.
    fn at_origin(mut self, boxes: &[Size], links: &[Link]) -> Layout {
        let sizes = boxes.iter().chain(links.iter().map(|link| &link.label));
        let corners: Vec<(f64, f64)> = self
            .boxes
            .iter()
            .chain(&self.labels)
            .zip(sizes)
            .flat_map(|(&(x, y), size)| [(x, y), (x + size.width, y + size.height)])
            .chain(self.lines.iter().flatten().flatten().copied())
            .collect();
        let least =
            |of: fn(&(f64, f64)) -> f64| corners.iter().map(of).fold(f64::INFINITY, f64::min) - MARGIN;
        let most =
            |of: fn(&(f64, f64)) -> f64| corners.iter().map(of).fold(f64::NEG_INFINITY, f64::max) + MARGIN;
        let (left, top) = (least(|it| it.0), least(|it| it.1));
        self.size = Size { width: most(|it| it.0) - left, height: most(|it| it.1) - top };
        let points = self.lines.iter_mut().flatten().flatten();
        for point in self.boxes.iter_mut().chain(&mut self.labels).chain(points) {
            *point = (point.0 - left, point.1 - top);
        }
        self
    }
}

/// Keeps the lines that the library draws, in the order in which they were added.
#[derive(Default)]
struct Lines(Vec<Curve>);

impl RenderBackend for Lines {
    fn draw_arrow(
        &mut self,
        path: &[(Point, Point)],
        _: bool,
        _: (bool, bool),
        _: &StyleAttr,
        _: Option<String>,
        _: &str,
    ) {
        self.0.push(curve(path));
    }

    fn draw_rect(&mut self, _: Point, _: Point, _: &StyleAttr, _: Option<String>, _: Option<ClipHandle>) {}

    fn draw_line(&mut self, _: Point, _: Point, _: &StyleAttr, _: Option<String>) {}

    fn draw_circle(&mut self, _: Point, _: Point, _: &StyleAttr, _: Option<String>) {}

    fn draw_text(&mut self, _: Point, _: &str, _: &StyleAttr) {}

    fn create_clip(&mut self, _: Point, _: Point, _: usize) -> ClipHandle {
        0
    }
}

/// The library's path is the start with its control point, and then pairs of the control point
/// before a point, and that point. The control point after a point mirrors the one before it.
///
/// A line around no box is straight: the control points of a short one would make it a hook.
fn curve(path: &[(Point, Point)]) -> Curve {
    let at = |point: Point| (point.x, point.y);
    if let [(start, _), (_, end)] = path {
        let between = |share: f64| at(start.add(end.sub(*start).scale(share)));
        return vec![at(*start), between(1.0 / 3.0), between(2.0 / 3.0), at(*end)];
    }
    let mut points = Vec::new();
    let mut after = None;
    for (number, (first, second)) in path.iter().enumerate() {
        if number == 0 {
            points.push(at(*first));
            after = Some(*second);
            continue;
        }
        if let Some(after) = after {
            points.extend([at(after), at(*first), at(*second)]);
        }
        after = Some(second.add(second.sub(*first)));
    }
    points
}
