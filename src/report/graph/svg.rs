//! The flow of rows as a picture (pure).
//!
//! One file without anything from elsewhere: no fonts, no scripts, no links.

use std::fmt::Write;

use quick_xml::escape::escape;

use super::layout::{Layout, MARGIN, Rect, cut, label_width, layout};
use super::role_words;
use crate::role::PlacementKind;
use crate::schema::{Graph, Node, NodeKind};

const LEGEND: usize = 26;

const STYLE: &str = "\
.name{font:600 13px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;fill:#1f2933}\
.about{font:11px system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif;fill:#5b6875}\
.role{font:600 14px system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif;fill:#1f2933}\
.hosts{font:12px system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif;fill:#5b6875}\
.cluster{font:11px system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif;fill:#1d4e89}\
.way{fill:none;stroke:#8795a1;stroke-width:1.6}";

/// Draws a graph.
#[must_use]
pub fn svg(graph: &Graph) -> String {
    let layout = layout(graph);
    let kinds = kinds(graph);
    let legend: usize = kinds.iter().map(|kind| word(*kind).len() * 7 + 34).sum();
    let (width, height) = (layout.width.max(legend + 2 * MARGIN), layout.height + LEGEND);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         role=\"img\">\n<title>The way of rows through the fleet's objects</title>\n<style>{STYLE}</style>\n\
         <defs><marker id=\"end\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" \
         orient=\"auto\"><path d=\"M0 0.6 L7.4 4 L0 7.4 Z\" fill=\"#8795a1\"/></marker></defs>\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>\n"
    );
    for (role, rect) in &layout.roles {
        let Some(about) = graph.roles.get(role) else { continue };
        let stores = about.placement == PlacementKind::Storage;
        let (fill, stroke) = if stores { ("#f3f7f4", "#cfdfd4") } else { ("#f6f7f9", "#dce1e7") };
        let _ = writeln!(
            out,
            "{}<text class=\"role\" x=\"{}\" y=\"{}\">{}<tspan class=\"hosts\" dx=\"8\">{}</tspan></text>",
            boxed(rect, 10, fill, stroke),
            rect.x + 16,
            rect.y + 22,
            text(role.as_str()),
            role_words(about)
        );
    }
    ways(&mut out, graph, &layout);
    for (node, rect) in graph.nodes.iter().zip(&layout.nodes) {
        draw(&mut out, node, rect);
    }
    let mut x = MARGIN;
    for kind in kinds {
        let (_, bar) = colours(kind);
        let y = layout.height + LEGEND / 2 - 8;
        let swatch = Rect { x, y, width: 11, height: 11 };
        let _ = writeln!(
            out,
            "{}<text class=\"about\" x=\"{}\" y=\"{}\">{}</text>",
            boxed(&swatch, 3, bar, bar),
            x + 17,
            y + 10,
            word(kind)
        );
        x += word(kind).len() * 7 + 34;
    }
    out.push_str("</svg>\n");
    out
}

fn kinds(graph: &Graph) -> Vec<NodeKind> {
    let mut kinds: Vec<NodeKind> = graph.nodes.iter().map(|node| node.kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}

fn word(kind: NodeKind) -> &'static str {
    match kind {
        NodeKind::Topic => "topic",
        NodeKind::Queue => "queue",
        NodeKind::Flow => "materialized view",
        NodeKind::Proxy => "distributed",
        NodeKind::Storage => "table",
        NodeKind::View => "view",
        NodeKind::Dictionary => "dictionary",
    }
}

/// What a node is filled with, and the bar at its left.
fn colours(kind: NodeKind) -> (&'static str, &'static str) {
    match kind {
        NodeKind::Topic => ("#f5effb", "#8e5bb5"),
        NodeKind::Queue => ("#ffffff", "#d9822b"),
        NodeKind::Flow => ("#ffffff", "#2a9d8f"),
        NodeKind::Proxy => ("#ffffff", "#3a7bd5"),
        NodeKind::Storage => ("#ffffff", "#3d8b4f"),
        NodeKind::View => ("#ffffff", "#a0a51f"),
        NodeKind::Dictionary => ("#ffffff", "#b5506b"),
    }
}

fn draw(out: &mut String, node: &Node, rect: &Rect) {
    let (fill, bar) = colours(node.kind);
    let round = if node.kind == NodeKind::Topic { rect.height / 2 } else { 6 };
    let stroke = if node.kind == NodeKind::Topic { "#cdb5e0" } else { "#c9d1d9" };
    let _ = write!(
        out,
        "<g><title>{}: {}</title>{}",
        text(&node.name),
        text(&node.about),
        boxed(rect, round, fill, stroke)
    );
    if node.kind != NodeKind::Topic {
        let side = Rect { x: rect.x, y: rect.y + 7, width: 4, height: rect.height - 14 };
        out.push_str(&boxed(&side, 2, bar, bar));
    }
    let (x, y) = (rect.x + 16, rect.y);
    let _ = writeln!(
        out,
        "<text class=\"name\" x=\"{x}\" y=\"{}\">{}</text><text class=\"about\" x=\"{x}\" y=\"{}\">{}</text></g>",
        y + 19,
        text(&cut(&node.name)),
        y + 35,
        text(&cut(&node.about))
    );
}

/// Straight out of the block and past the cluster's label, then in a curve to where rows go.
fn ways(out: &mut String, graph: &Graph, layout: &Layout) {
    let mut labels = String::new();
    for (edge, straight) in graph.edges.iter().zip(&layout.straight) {
        let (Some(from), Some(to)) = (layout.nodes.get(edge.from), layout.nodes.get(edge.to)) else { continue };
        let (x, y, end, level) = (from.right(), from.middle(), to.x.saturating_sub(2), to.middle());
        let path = if *straight < end {
            let half = straight.midpoint(end);
            format!("M{x} {y} H{straight} C{half} {y} {half} {level} {end} {level}")
        } else {
            // Back to the left: below both.
            let below = y.max(level) + 50;
            format!("M{x} {y} C{} {below} {} {below} {end} {level}", x + 70, end.saturating_sub(70))
        };
        let _ = writeln!(out, "<path class=\"way\" marker-end=\"url(#end)\" d=\"{path}\"/>");
        if let Some(cluster) = &edge.cluster {
            let width = label_width(cluster);
            let label = Rect { x: straight.saturating_sub(width + 6), y: y.saturating_sub(10), width, height: 20 };
            let _ = writeln!(
                labels,
                "{}<text class=\"cluster\" x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
                boxed(&label, 10, "#eaf2fc", "#b9d3f0"),
                label.x + width / 2,
                label.y + 14,
                text(&cut(cluster))
            );
        }
    }
    out.push_str(&labels);
}

fn boxed(rect: &Rect, round: usize, fill: &str, stroke: &str) -> String {
    let Rect { x, y, width, height } = rect;
    format!(
        "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"{round}\" fill=\"{fill}\" stroke=\"{stroke}\"/>"
    )
}

/// A text as XML holds it; control characters have no place there.
fn text(text: &str) -> String {
    let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    escape(plain.as_str()).into_owned()
}
