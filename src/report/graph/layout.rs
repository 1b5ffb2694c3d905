//! Where everything stands in the picture: blocks of roles beside each other, the way that rows go (pure).
//!
//! A block is a role or a topic. Blocks stand in ranks from left to right; in a block its objects stand in columns, and
//! what hangs together keeps to rows of its own. All lengths are pixels.

use std::collections::{BTreeMap, BTreeSet};

use super::role_words;
use crate::fleet::RoleName;
use crate::schema::{Graph, Node};

pub(super) const NODE_HEIGHT: usize = 44;
const ROW_GAP: usize = 14;
/// Between two blocks of a rank.
const BLOCK_GAP: usize = 26;
const TITLE: usize = 34;
const PADDING: usize = 16;
/// Room for a curve.
const CURVE: usize = 60;
pub(super) const MARGIN: usize = 24;
/// A character of the monospaced names, in tenths of a pixel; and of the small text.
const NAME_WIDTH: usize = 79;
const ABOUT_WIDTH: usize = 63;
/// Longer texts are cut.
const LONGEST: usize = 48;

/// A rectangle.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Rect {
    pub(super) x: usize,
    pub(super) y: usize,
    pub(super) width: usize,
    pub(super) height: usize,
}

impl Rect {
    pub(super) fn right(&self) -> usize {
        self.x + self.width
    }

    pub(super) fn middle(&self) -> usize {
        self.y + self.height / 2
    }
}

/// Everything's place.
pub(super) struct Layout {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) roles: Vec<(RoleName, Rect)>,
    /// As the graph's nodes.
    pub(super) nodes: Vec<Rect>,
    /// As the graph's edges: how far right an edge leaves straight, behind its own block.
    pub(super) straight: Vec<usize>,
}

/// Cuts a text that is too long for its node.
pub(super) fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// How wide a cluster's label is.
pub(super) fn label_width(cluster: &str) -> usize {
    cut(cluster).chars().count() * ABOUT_WIDTH / 10 + 18
}

fn node_width(node: &Node) -> usize {
    let (name, about) = (cut(&node.name).chars().count() * NAME_WIDTH, cut(&node.about).chars().count() * ABOUT_WIDTH);
    name.max(about) / 10 + 32
}

struct Block {
    role: Option<RoleName>,
    nodes: Vec<usize>,
    rank: usize,
    top: usize,
}

/// Lays a graph out.
pub(super) fn layout(graph: &Graph) -> Layout {
    let mut blocks = blocks(graph);
    let block_of = |at: usize| blocks.iter().position(|block| block.nodes.contains(&at)).unwrap_or_default();
    let block_of: Vec<usize> = (0..graph.nodes.len()).map(block_of).collect();
    let pairs: Vec<(usize, usize)> = graph.edges.iter().map(|edge| (edge.from, edge.to)).collect();
    let inside: Vec<_> = pairs.iter().copied().filter(|(from, to)| block_of[*from] == block_of[*to]).collect();
    let between: Vec<_> =
        pairs.iter().map(|(from, to)| (block_of[*from], block_of[*to])).filter(|(a, b)| a != b).collect();
    let column = ranks(graph.nodes.len(), &inside);
    for (block, rank) in blocks.iter_mut().zip(pulled(&ranks_of_blocks(&between, graph, &block_of), &between)) {
        block.rank = rank;
    }
    let mut placing = Placing { graph, blocks, column, nodes: vec![Rect::default(); graph.nodes.len()], pairs: &pairs };
    // Twice: the first time not all that rows come from has its height.
    placing.rows(&inside);
    placing.rows(&inside);
    placing.heights();
    placing.columns(&block_of)
}

fn ranks_of_blocks(between: &[(usize, usize)], graph: &Graph, block_of: &[usize]) -> Vec<usize> {
    let count = block_of.iter().copied().max().map_or(graph.roles.len(), |most| most + 1);
    ranks(count, between)
}

/// Topics where they first occur, and roles.
fn blocks(graph: &Graph) -> Vec<Block> {
    let alone = graph.nodes.iter().enumerate().filter(|(_, node)| node.role.is_none());
    let topics = alone.map(|(at, _)| Block { role: None, nodes: vec![at], rank: 0, top: 0 });
    let roles = graph.roles.keys().map(|role| {
        let own = graph.nodes.iter().enumerate().filter(|(_, node)| node.role.as_ref() == Some(role));
        Block { role: Some(role.clone()), nodes: own.map(|(at, _)| at).collect(), rank: 0, top: 0 }
    });
    topics.chain(roles).collect()
}

/// The longest way to each, without the edges that would close a circle.
fn ranks(count: usize, edges: &[(usize, usize)]) -> Vec<usize> {
    let mut next: Vec<Vec<usize>> = vec![Vec::new(); count];
    for (from, to) in edges {
        next[*from].push(*to);
    }
    let (mut seen, mut on_way, mut done) = (vec![false; count], vec![false; count], Vec::new());
    let mut forward: Vec<(usize, usize)> = Vec::new();
    for start in 0..count {
        let mut way = if seen[start] { Vec::new() } else { vec![(start, 0)] };
        seen[start] = true;
        while let Some((at, turn)) = way.last_mut() {
            let (at, to) = (*at, next[*at].get(*turn).copied());
            *turn += 1;
            on_way[at] = to.is_some();
            match to {
                Some(to) if !on_way[to] => {
                    forward.push((at, to));
                    if !seen[to] {
                        seen[to] = true;
                        way.push((to, 0));
                    }
                }
                Some(_) => {}
                None => {
                    done.push(at);
                    way.pop();
                }
            }
        }
    }
    let mut ranks = vec![0; count];
    for at in done.into_iter().rev() {
        for (_, to) in forward.iter().filter(|(from, _)| *from == at) {
            ranks[*to] = ranks[*to].max(ranks[at] + 1);
        }
    }
    ranks
}

/// What nothing leads to stands right before what it leads to.
fn pulled(ranks: &[usize], edges: &[(usize, usize)]) -> Vec<usize> {
    let led_to: BTreeSet<usize> = edges.iter().map(|(_, to)| *to).collect();
    let pull = |(at, rank): (usize, &usize)| {
        let next = edges.iter().filter(|(from, _)| *from == at && !led_to.contains(&at)).map(|(_, to)| ranks[*to]);
        next.min().map_or(*rank, |next| next.saturating_sub(1))
    };
    ranks.iter().enumerate().map(pull).collect()
}

struct Placing<'a> {
    graph: &'a Graph,
    blocks: Vec<Block>,
    /// Each node's column in its block.
    column: Vec<usize>,
    nodes: Vec<Rect>,
    pairs: &'a [(usize, usize)],
}

impl Placing<'_> {
    /// Gives each node its height in its block: what hangs together gets rows of its own.
    fn rows(&mut self, inside: &[(usize, usize)]) {
        for block in 0..self.blocks.len() {
            let together = together(&self.blocks[block].nodes, inside);
            self.stack(block, &together);
        }
    }

    fn stack(&mut self, block: usize, together: &[Vec<usize>]) {
        let titled = self.blocks[block].role.is_some();
        let mut y = if titled { TITLE } else { 0 };
        for part in together {
            let mut columns: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
            for at in part {
                columns.entry(self.column[*at]).or_default().push(*at);
            }
            let most = columns.values().map(Vec::len).max().unwrap_or_default();
            for nodes in columns.values_mut() {
                let before = |at: &usize| {
                    let from = self.pairs.iter().filter(|(_, to)| to == at).map(|(from, _)| self.nodes[*from].y);
                    mean(from.collect()).unwrap_or_default()
                };
                let start = y + (most - nodes.len()) * (NODE_HEIGHT + ROW_GAP) / 2;
                nodes.sort_by_key(|at| (before(at), *at));
                for (turn, at) in nodes.iter().enumerate() {
                    self.nodes[*at] = Rect {
                        y: start + turn * (NODE_HEIGHT + ROW_GAP),
                        width: node_width(&self.graph.nodes[*at]),
                        height: NODE_HEIGHT,
                        x: 0,
                    };
                }
            }
            y += most * (NODE_HEIGHT + ROW_GAP);
        }
    }

    fn height(&self, block: usize) -> usize {
        let block = &self.blocks[block];
        let bottom = block.nodes.iter().map(|at| self.nodes[*at].y + NODE_HEIGHT).max().unwrap_or_default();
        bottom + if block.role.is_some() { PADDING } else { 0 }
    }

    /// Stacks the blocks: the tallest rank from the top, the others beside what they lead to or come from.
    fn heights(&mut self) {
        let last = self.blocks.iter().map(|block| block.rank).max().unwrap_or_default();
        let of = |placing: &Self, rank: usize| -> Vec<usize> {
            (0..placing.blocks.len()).filter(|at| placing.blocks[*at].rank == rank).collect()
        };
        let tall = |rank: usize| of(self, rank).into_iter().map(|at| self.height(at) + BLOCK_GAP).sum::<usize>();
        // Where two are as tall, the one in which more begins.
        let tallest = (0..=last).rev().max_by_key(|rank| tall(*rank)).unwrap_or_default();
        let mut top = 0;
        for at in of(self, tallest) {
            self.blocks[at].top = top;
            top += self.height(at) + BLOCK_GAP;
        }
        let beside = (0..tallest).rev().chain(tallest + 1..=last);
        for rank in beside.collect::<Vec<_>>() {
            self.beside(&of(self, rank), rank < tallest);
        }
        let least = self.blocks.iter().map(|block| block.top).min().unwrap_or_default();
        self.blocks.iter_mut().for_each(|block| block.top -= least);
    }

    fn beside(&mut self, blocks: &[usize], leads: bool) {
        // Where its rows are drawn from or go to, from the top of the picture.
        let wanted = |placing: &Self, nodes: &[usize]| {
            let near = placing.pairs.iter().filter_map(|(from, to)| {
                let (own, other) = if leads { (from, to) } else { (to, from) };
                (nodes.contains(own) && !nodes.contains(other)).then_some(*other)
            });
            mean(near.map(|other| placing.middle(other)).collect())
        };
        if !leads {
            for block in blocks {
                let inside: Vec<_> = self
                    .pairs
                    .iter()
                    .copied()
                    .filter(|(from, to)| {
                        self.blocks[*block].nodes.contains(from) && self.blocks[*block].nodes.contains(to)
                    })
                    .collect();
                let mut parts = together(&self.blocks[*block].nodes, &inside);
                parts.sort_by_key(|part| wanted(self, part).unwrap_or(usize::MAX));
                self.stack(*block, &parts);
            }
        }
        let mut order: Vec<(usize, usize)> = blocks
            .iter()
            .map(|block| (wanted(self, &self.blocks[*block].nodes).unwrap_or(usize::MAX), *block))
            .collect();
        order.sort_unstable();
        let (mut free, mut over) = (0_usize, 0_usize);
        for (want, block) in &order {
            let (height, gap) =
                (self.height(*block), if self.blocks[*block].role.is_some() { BLOCK_GAP } else { ROW_GAP });
            let top = if *want == usize::MAX { free } else { want.saturating_sub(height / 2) };
            over = over.max(free.saturating_sub(top));
            self.blocks[*block].top = top.max(free);
            free = self.blocks[*block].top + height + gap;
        }
        // What was pushed down makes all go up by half of it, as far as there is room.
        let first = order.first().map_or(0, |(_, block)| self.blocks[*block].top);
        let up = (over / 2).min(first);
        order.iter().for_each(|(_, block)| self.blocks[*block].top -= up);
    }

    fn middle(&self, at: usize) -> usize {
        let top = self.blocks.iter().find(|block| block.nodes.contains(&at)).map_or(0, |block| block.top);
        top + self.nodes[at].middle()
    }

    /// Gives everything its place from left to right.
    fn columns(mut self, block_of: &[usize]) -> Layout {
        let last = self.blocks.iter().map(|block| block.rank).max().unwrap_or_default();
        let (mut x, mut roles) = (MARGIN, Vec::new());
        let mut straight = vec![0; self.graph.edges.len()];
        for rank in 0..=last {
            let own: Vec<usize> = (0..self.blocks.len()).filter(|at| self.blocks[*at].rank == rank).collect();
            let nodes: Vec<usize> = own.iter().flat_map(|block| self.blocks[*block].nodes.clone()).collect();
            let titled = own.iter().any(|block| self.blocks[*block].role.is_some());
            let start = x;
            x += if titled { PADDING } else { 0 };
            let most = nodes.iter().map(|at| self.column[*at]).max().unwrap_or_default();
            for column in 0..=most {
                let here: Vec<usize> = nodes.iter().copied().filter(|at| self.column[*at] == column).collect();
                let width = here.iter().map(|at| self.nodes[*at].width).max().unwrap_or_default();
                for at in &here {
                    let topic = self.graph.nodes[*at].role.is_none();
                    // Topics stand close to what reads them.
                    let own = self.nodes[*at].width;
                    let x = if topic && !titled { x + width - own } else { x };
                    self.nodes[*at] = Rect { x, width: if topic { own } else { width }, ..self.nodes[*at] };
                }
                x += width;
                if column < most {
                    x += self.gap(&here, |edge| block_of[edge.from] == block_of[edge.to]);
                }
            }
            x += if titled { PADDING } else { 0 };
            let titles = own.iter().filter_map(|block| self.blocks[*block].role.as_ref());
            x = x.max(start + titles.map(|role| self.title_width(role)).max().unwrap_or_default());
            let wide = x - start;
            for block in own {
                let Some(role) = self.blocks[block].role.clone() else { continue };
                let rect =
                    Rect { x: start, y: MARGIN + self.blocks[block].top, width: wide, height: self.height(block) };
                roles.push((role, rect));
            }
            for (at, edge) in self.graph.edges.iter().enumerate().filter(|(_, edge)| nodes.contains(&edge.from)) {
                let leaves = block_of[edge.from] != block_of[edge.to];
                let from = if leaves { x } else { self.nodes[edge.from].right() };
                straight[at] = from + edge.cluster.as_deref().map_or(0, |cluster| label_width(cluster) + 20);
            }
            if rank < last {
                x += self.gap(&nodes, |edge| block_of[edge.from] != block_of[edge.to]);
            }
        }
        for (at, block) in block_of.iter().enumerate() {
            self.nodes[at].y += MARGIN + self.blocks[*block].top;
        }
        let bottom =
            (0..self.blocks.len()).map(|at| self.blocks[at].top + self.height_of(at)).max().unwrap_or_default();
        Layout { width: x + MARGIN, height: bottom + 2 * MARGIN, roles, nodes: self.nodes, straight }
    }

    fn title_width(&self, role: &RoleName) -> usize {
        let hosts = self.graph.roles.get(role).map(role_words).unwrap_or_default();
        (role.as_str().len() * NAME_WIDTH + hosts.len() * ABOUT_WIDTH) / 10 + 3 * PADDING
    }

    /// A block's height when its nodes already stand in the picture.
    fn height_of(&self, block: usize) -> usize {
        let (top, role) = (MARGIN + self.blocks[block].top, self.blocks[block].role.is_some());
        let bottom = self.blocks[block].nodes.iter().map(|at| self.nodes[*at].y + NODE_HEIGHT).max().unwrap_or(top);
        bottom.saturating_sub(top) + if role { PADDING } else { 0 }
    }

    /// Room behind some nodes, for curves and the clusters' labels on them.
    fn gap(&self, nodes: &[usize], counts: impl Fn(&crate::schema::Edge) -> bool) -> usize {
        let edges = self.graph.edges.iter().filter(|edge| nodes.contains(&edge.from) && counts(edge));
        let labels = edges.filter_map(|edge| edge.cluster.as_deref()).map(|cluster| label_width(cluster) + 30);
        CURVE + labels.max().unwrap_or_default()
    }
}

/// Splits nodes into those that hang together, in the order of their first ones.
fn together(nodes: &[usize], edges: &[(usize, usize)]) -> Vec<Vec<usize>> {
    let mut parts: Vec<Vec<usize>> = Vec::new();
    let mut left: BTreeSet<usize> = nodes.iter().copied().collect();
    for start in nodes {
        if !left.remove(start) {
            continue;
        }
        let (mut part, mut turn) = (vec![*start], 0);
        while let Some(at) = part.get(turn).copied() {
            let near = edges.iter().filter_map(|(from, to)| match (*from == at, *to == at) {
                (true, _) => Some(*to),
                (_, true) => Some(*from),
                _ => None,
            });
            part.extend(near.filter(|near| left.remove(near)));
            turn += 1;
        }
        part.sort_unstable();
        parts.push(part);
    }
    parts
}

fn mean(values: Vec<usize>) -> Option<usize> {
    let count = values.len();
    (count > 0).then(|| values.into_iter().sum::<usize>() / count)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::report::graph::svg;
    use crate::role::PlacementKind;
    use crate::schema::{Edge, GraphRole, NodeKind};

    fn any_graph() -> impl Strategy<Value = Graph> {
        let node = (0..5_usize, "[a-z<\u{1}é_]{1,60}", 0..3_usize);
        let nodes = prop::collection::vec(node, 1..14);
        (nodes, prop::collection::vec((0..14_usize, 0..14_usize, any::<bool>()), 0..24)).prop_map(|(nodes, edges)| {
            let mut graph = Graph::default();
            for (role, name, kind) in nodes {
                let role = (role > 0).then(|| RoleName::new(format!("role-{role}")).unwrap());
                let about = GraphRole { placement: PlacementKind::Storage, hosts: 30, shards: 10 };
                graph.roles.extend(role.clone().map(|role| (role, about)));
                let kind = if role.is_some() {
                    [NodeKind::Queue, NodeKind::Flow, NodeKind::Storage][kind]
                } else {
                    NodeKind::Topic
                };
                graph.nodes.push(Node { role, name, kind, about: "Kafka".to_owned() });
            }
            let count = graph.nodes.len();
            let edge = |(from, to, remote): (usize, usize, bool)| {
                let cluster = remote.then(|| "posthog_single_shard".to_owned());
                Edge { from: from % count, to: to % count, cluster }
            };
            graph.edges = edges.into_iter().map(edge).filter(|edge| edge.from != edge.to).collect();
            graph
        })
    }

    fn overlap(one: &Rect, other: &Rect) -> bool {
        one.x < other.right() && other.x < one.right() && one.y < other.y + other.height && other.y < one.y + one.height
    }

    fn holds(outer: &Rect, inner: &Rect) -> bool {
        outer.x <= inner.x
            && inner.right() <= outer.right()
            && outer.y + TITLE <= inner.y
            && inner.y + inner.height <= outer.y + outer.height
    }

    proptest! {
        #[test]
        fn nothing_hides_another_and_everything_is_in_its_role(graph in any_graph()) {
            let layout = layout(&graph);
            let picture = Rect { x: 0, y: 0, width: layout.width, height: layout.height };
            for (at, rect) in layout.nodes.iter().enumerate() {
                prop_assert!(rect.right() <= picture.width && rect.y + rect.height <= picture.height, "{rect:?}");
                prop_assert!(layout.nodes[..at].iter().all(|other| !overlap(rect, other)), "{rect:?} in {:?}", layout.nodes);
                for (role, outer) in &layout.roles {
                    let own = graph.nodes[at].role.as_ref() == Some(role);
                    prop_assert!(if own { holds(outer, rect) } else { !overlap(outer, rect) }, "{role}: {outer:?} {rect:?}");
                }
            }
            for (at, (_, rect)) in layout.roles.iter().enumerate() {
                prop_assert!(layout.roles[..at].iter().all(|(_, other)| !overlap(rect, other)));
            }
            let drawn = svg(&graph);
            prop_assert!(roxmltree::Document::parse(&drawn).is_ok(), "{drawn}");
        }
    }
}
