//! The flow of rows as Mermaid text, for documentation (pure).

use std::fmt::Write;

use super::role_words;
use crate::fleet::RoleName;
use crate::schema::{Graph, Node, NodeKind};

/// A flowchart ([syntax](https://mermaid.js.org/syntax/flowchart.html)): a subgraph for each role, a label for each cluster.
#[must_use]
pub fn mermaid(graph: &Graph) -> String {
    let mut out = String::from("flowchart LR\n");
    for (at, node) in graph.nodes.iter().enumerate().filter(|(_, node)| node.role.is_none()) {
        let _ = writeln!(out, "  {}", shape(at, node));
    }
    for (number, (role, about)) in graph.roles.iter().enumerate() {
        let title = format!("{role}: {}", role_words(about));
        let _ = writeln!(out, "  subgraph r{number}[\"{}\"]", escaped(&title));
        for (at, node) in graph.nodes.iter().enumerate().filter(|(_, node)| is_of(node, role)) {
            let _ = writeln!(out, "    {}", shape(at, node));
        }
        out.push_str("  end\n");
    }
    for edge in &graph.edges {
        let label = edge.cluster.as_ref().map(|cluster| format!("|\"{}\"|", escaped(cluster))).unwrap_or_default();
        let _ = writeln!(out, "  n{} -->{label} n{}", edge.from, edge.to);
    }
    out
}

fn is_of(node: &Node, role: &RoleName) -> bool {
    node.role.as_ref() == Some(role)
}

fn shape(at: usize, node: &Node) -> String {
    let text = format!("\"{}<br/>{}\"", escaped(&node.name), escaped(&node.about));
    match node.kind {
        NodeKind::Topic => format!("n{at}[/{text}/]"),
        NodeKind::Storage => format!("n{at}[({text})]"),
        NodeKind::Flow | NodeKind::View => format!("n{at}([{text}])"),
        NodeKind::Queue | NodeKind::Proxy | NodeKind::Dictionary => format!("n{at}[{text}]"),
    }
}

/// Mermaid's own entities, for what would end a label or be taken for markup.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' => out.push_str("#quot;"),
            '#' => out.push_str("#35;"),
            '<' => out.push_str("#lt;"),
            '>' => out.push_str("#gt;"),
            '&' => out.push_str("#amp;"),
            '`' => out.push_str("#96;"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}
