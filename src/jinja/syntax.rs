//! The parts of Jinja's language that a variable may hold, as owned trees with places (pure).
//!
//! minijinja's parser reads the text; what could reach outside of the value (`include`, `import`, macros) is refused here.

use std::ops::Range;

use minijinja::Value;
use minijinja::machinery::{Span, ast, parse, parse_expr};
use minijinja::syntax::SyntaxConfig;

use super::wrong::{Kind, Wrong};

/// The longest text that is parsed.
const MAX_TEXT: usize = 32 << 10;
/// The deepest nesting of one text; evaluation recurses.
const MAX_DEPTH: usize = 40;

/// An expression and where it stands in its text.
#[derive(Debug)]
pub(super) struct Node {
    pub span: Range<usize>,
    pub expr: Expr,
}

/// One kind of expression each.
#[derive(Debug)]
pub(super) enum Expr {
    Name(String),
    Constant(Value),
    List(Vec<Node>),
    Map(Vec<(Node, Node)>),
    Attribute(Box<Node>, String),
    Item(Box<Node>, Box<Node>),
    Slice(Box<Node>, [Option<Box<Node>>; 3]),
    Not(Box<Node>),
    Negative(Box<Node>),
    And(Box<Node>, Box<Node>),
    Or(Box<Node>, Box<Node>),
    Binary(Operator, Box<Node>, Box<Node>),
    Compare(Box<Node>, Vec<(Comparison, Node)>),
    If { condition: Box<Node>, then: Box<Node>, otherwise: Option<Box<Node>> },
    Filter { name: String, input: Option<Box<Node>>, args: Arguments },
    Test { name: String, input: Box<Node>, args: Arguments },
    Method { object: Box<Node>, name: String, args: Arguments },
    Function { name: String, args: Arguments },
}

#[derive(Debug, Default)]
pub(super) struct Arguments {
    pub positional: Vec<Node>,
    pub named: Vec<(String, Node)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    DivideWhole,
    Remainder,
    Power,
    Concat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    NotIn,
}

/// A part of a text with `{{ }}` and `{% %}`.
#[derive(Debug)]
pub(super) enum Part {
    Text(String),
    Emit(Node),
    If { condition: Node, then: Vec<Part>, otherwise: Vec<Part> },
    For { names: Vec<String>, items: Node, condition: Option<Node>, body: Vec<Part>, otherwise: Vec<Part> },
    Set { name: String, value: Node },
}

/// Parses a bare expression.
pub(super) fn expression(text: &str) -> Result<Node, Wrong> {
    short(text)?;
    // The parser takes an empty text for the end of an expression without saying so.
    if text.trim().is_empty() {
        return Err(Wrong::new(Kind::Syntax, 0..text.len(), "the expression is empty"));
    }
    let parsed = parse_expr(text).map_err(|error| syntax(&error, text))?;
    Reader { text }.node(&parsed, 0)
}

/// Parses a text that holds `{{ }}`, `{% %}` or `{# #}`.
pub(super) fn parts(text: &str) -> Result<Vec<Part>, Wrong> {
    short(text)?;
    // As Ansible sets Jinja up for variables.
    let config = SyntaxConfig::builder().trim_blocks(true).build();
    let config = config.map_err(|error| syntax(&error, text))?;
    match parse(text, "value", config).map_err(|error| syntax(&error, text))? {
        ast::Stmt::Template(template) => Reader { text }.parts(&template.children, 0),
        _ => Ok(Vec::new()),
    }
}

fn short(text: &str) -> Result<(), Wrong> {
    if text.len() > MAX_TEXT {
        let message = format!("an expression of more than {} kB is not read", MAX_TEXT >> 10);
        return Err(Wrong::new(Kind::TooMuch, 0..0, message));
    }
    Ok(())
}

fn syntax(error: &minijinja::Error, text: &str) -> Wrong {
    let detail = error.detail().unwrap_or("it cannot be read").to_owned();
    let range = error.range().unwrap_or(0..text.len());
    Wrong::new(Kind::Syntax, range, detail)
}

fn range(span: Span) -> Range<usize> {
    span.start_offset as usize..span.end_offset as usize
}

struct Reader<'t> {
    text: &'t str,
}

impl Reader<'_> {
    fn boxed(&self, expr: &ast::Expr<'_>, depth: usize) -> Result<Box<Node>, Wrong> {
        self.node(expr, depth).map(Box::new)
    }

    fn nodes(&self, exprs: &[ast::Expr<'_>], depth: usize) -> Result<Vec<Node>, Wrong> {
        exprs.iter().map(|expr| self.node(expr, depth)).collect()
    }

    fn node(&self, parsed: &ast::Expr<'_>, depth: usize) -> Result<Node, Wrong> {
        let span = range(parsed.span());
        if depth > MAX_DEPTH {
            return Err(Wrong::new(Kind::TooMuch, span, "the expression is nested too deeply"));
        }
        let depth = depth + 1;
        let expr = match parsed {
            ast::Expr::Var(var) => Expr::Name(var.id.to_owned()),
            ast::Expr::Const(constant) => Expr::Constant(self.constant(&constant.value, &span)),
            ast::Expr::List(list) => Expr::List(self.nodes(&list.items, depth)?),
            ast::Expr::Tuple(tuple) => Expr::List(self.nodes(&tuple.items, depth)?),
            ast::Expr::Map(map) => {
                let (keys, values) = (self.nodes(&map.keys, depth)?, self.nodes(&map.values, depth)?);
                Expr::Map(keys.into_iter().zip(values).collect())
            }
            ast::Expr::GetAttr(attr) => Expr::Attribute(self.boxed(&attr.expr, depth)?, attr.name.to_owned()),
            ast::Expr::GetItem(item) => {
                Expr::Item(self.boxed(&item.expr, depth)?, self.boxed(&item.subscript_expr, depth)?)
            }
            ast::Expr::Slice(slice) => {
                let bound = |bound: &Option<ast::Expr<'_>>| match bound {
                    Some(bound) => self.boxed(bound, depth).map(Some),
                    None => Ok(None),
                };
                let bounds = [bound(&slice.start)?, bound(&slice.stop)?, bound(&slice.step)?];
                Expr::Slice(self.boxed(&slice.expr, depth)?, bounds)
            }
            ast::Expr::UnaryOp(unary) => {
                let operand = self.boxed(&unary.expr, depth)?;
                match unary.op {
                    ast::UnaryOpKind::Not => Expr::Not(operand),
                    ast::UnaryOpKind::Neg => Expr::Negative(operand),
                }
            }
            ast::Expr::BinOp(binary) => {
                binary_of(binary.op, self.boxed(&binary.left, depth)?, self.boxed(&binary.right, depth)?)
            }
            ast::Expr::Compare(compare) => {
                let others = compare.ops.iter().map(|op| Ok((comparison(op.op), self.node(&op.expr, depth)?)));
                Expr::Compare(self.boxed(&compare.expr, depth)?, others.collect::<Result<_, Wrong>>()?)
            }
            ast::Expr::IfExpr(choice) => Expr::If {
                condition: self.boxed(&choice.test_expr, depth)?,
                then: self.boxed(&choice.true_expr, depth)?,
                otherwise: choice.false_expr.as_ref().map(|expr| self.boxed(expr, depth)).transpose()?,
            },
            ast::Expr::Filter(filter) => Expr::Filter {
                name: plain_name(filter.name),
                input: filter.expr.as_ref().map(|expr| self.boxed(expr, depth)).transpose()?,
                args: self.arguments(&filter.args, &span, depth)?,
            },
            ast::Expr::Test(test) => Expr::Test {
                name: plain_name(test.name),
                input: self.boxed(&test.expr, depth)?,
                args: self.arguments(&test.args, &span, depth)?,
            },
            ast::Expr::Call(call) => {
                let args = self.arguments(&call.args, &span, depth)?;
                match &call.expr {
                    ast::Expr::Var(var) => Expr::Function { name: var.id.to_owned(), args },
                    ast::Expr::GetAttr(attr) => {
                        Expr::Method { object: self.boxed(&attr.expr, depth)?, name: attr.name.to_owned(), args }
                    }
                    _ => return Err(Wrong::new(Kind::Syntax, span, "only a function or a method can be called")),
                }
            }
        };
        // The parser gives these the place where the token before them begins.
        let span = match &expr {
            Expr::Compare(first, others) => {
                first.span.start..others.last().map_or(first.span.end, |(_, last)| last.span.end)
            }
            Expr::If { condition, then, otherwise } => {
                then.span.start..otherwise.as_ref().map_or(condition.span.end, |otherwise| otherwise.span.end)
            }
            _ => span,
        };
        Ok(Node { span, expr })
    }

    /// A text between quotes keeps its backslashes within `{{ }}`, as in Ansible: YAML has read them already.
    fn constant(&self, value: &Value, span: &Range<usize>) -> Value {
        let before = self.text.get(..span.start).unwrap_or_default();
        let in_braces = before.rfind("{{").is_some_and(|at| before.rfind("{%").is_none_or(|block| block < at));
        let written = self.text.get(span.clone()).filter(|_| in_braces && value.as_str().is_some());
        let inside = written.and_then(|written| {
            let quote = written.chars().next().filter(|c| matches!(c, '"' | '\''))?;
            written.strip_prefix(quote)?.strip_suffix(quote).filter(|inside| inside.contains('\\'))
        });
        inside.map_or_else(|| value.clone(), Value::from)
    }

    fn arguments(&self, args: &[ast::CallArg<'_>], span: &Range<usize>, depth: usize) -> Result<Arguments, Wrong> {
        let mut arguments = Arguments::default();
        for arg in args {
            match arg {
                ast::CallArg::Pos(expr) => arguments.positional.push(self.node(expr, depth)?),
                ast::CallArg::Kwarg(name, expr) => arguments.named.push(((*name).to_owned(), self.node(expr, depth)?)),
                ast::CallArg::PosSplat(_) | ast::CallArg::KwargSplat(_) => {
                    let wrong =
                        Wrong::new(Kind::Unsupported, span.clone(), "`*` and `**` before arguments are not read");
                    return Err(wrong.hint("write the arguments one by one"));
                }
            }
        }
        Ok(arguments)
    }

    fn parts(&self, statements: &[ast::Stmt<'_>], depth: usize) -> Result<Vec<Part>, Wrong> {
        statements.iter().map(|statement| self.part(statement, depth)).collect()
    }

    fn part(&self, statement: &ast::Stmt<'_>, depth: usize) -> Result<Part, Wrong> {
        if depth > MAX_DEPTH {
            return Err(Wrong::new(Kind::TooMuch, 0..0, "the blocks are nested too deeply"));
        }
        let depth = depth + 1;
        match statement {
            ast::Stmt::EmitRaw(raw) => Ok(Part::Text(raw.raw.to_owned())),
            ast::Stmt::EmitExpr(emit) => Ok(Part::Emit(self.node(&emit.expr, depth)?)),
            ast::Stmt::IfCond(choice) => Ok(Part::If {
                condition: self.node(&choice.expr, depth)?,
                then: self.parts(&choice.true_body, depth)?,
                otherwise: self.parts(&choice.false_body, depth)?,
            }),
            ast::Stmt::ForLoop(each) if !each.recursive => Ok(Part::For {
                names: Self::names(&each.target)?,
                items: self.node(&each.iter, depth)?,
                condition: each.filter_expr.as_ref().map(|expr| self.node(expr, depth)).transpose()?,
                body: self.parts(&each.body, depth)?,
                otherwise: self.parts(&each.else_body, depth)?,
            }),
            ast::Stmt::Set(set) => match Self::names(&set.target)?.as_slice() {
                [name] => Ok(Part::Set { name: name.clone(), value: self.node(&set.expr, depth)? }),
                _ => Err(Wrong::new(Kind::Unsupported, range(set.span()), "`set` takes one name")),
            },
            other => {
                let span = statement_span(other);
                let word =
                    self.text.get(span.clone()).unwrap_or_default().split_whitespace().next().unwrap_or_default();
                let wrong = Wrong::new(Kind::Unsupported, span, format!("`{word}` is not read in a variable's value"));
                Err(wrong.hint("of the statements there are `if`, `for`, `set` and `raw`"))
            }
        }
    }

    fn names(target: &ast::Expr<'_>) -> Result<Vec<String>, Wrong> {
        match target {
            ast::Expr::Var(var) => Ok(vec![var.id.to_owned()]),
            ast::Expr::List(list) => {
                list.items.iter().map(Self::names).collect::<Result<Vec<_>, _>>().map(|names| names.concat())
            }
            ast::Expr::Tuple(tuple) => {
                tuple.items.iter().map(Self::names).collect::<Result<Vec<_>, _>>().map(|names| names.concat())
            }
            other => Err(Wrong::new(Kind::Unsupported, range(other.span()), "only plain names can be set")),
        }
    }
}

fn statement_span(statement: &ast::Stmt<'_>) -> Range<usize> {
    match statement {
        ast::Stmt::WithBlock(node) => range(node.span()),
        ast::Stmt::ForLoop(node) => range(node.span()),
        ast::Stmt::SetBlock(node) => range(node.span()),
        ast::Stmt::AutoEscape(node) => range(node.span()),
        ast::Stmt::FilterBlock(node) => range(node.span()),
        ast::Stmt::Do(node) => range(node.span()),
        _ => 0..0,
    }
}

/// A filter or test by its short name: Ansible's own may be written in full.
fn plain_name(name: &str) -> String {
    let name: String = name.chars().filter(|c| !c.is_whitespace()).collect();
    let short = ["ansible.builtin.", "ansible.legacy."].iter().find_map(|prefix| name.strip_prefix(prefix));
    short.map_or_else(|| name.clone(), str::to_owned)
}

fn binary_of(op: ast::BinOpKind, left: Box<Node>, right: Box<Node>) -> Expr {
    let compare = |comparison, left: Box<Node>, right: Box<Node>| Expr::Compare(left, vec![(comparison, *right)]);
    match op {
        ast::BinOpKind::Eq => compare(Comparison::Equal, left, right),
        ast::BinOpKind::Ne => compare(Comparison::NotEqual, left, right),
        ast::BinOpKind::Lt => compare(Comparison::Less, left, right),
        ast::BinOpKind::Lte => compare(Comparison::LessOrEqual, left, right),
        ast::BinOpKind::Gt => compare(Comparison::Greater, left, right),
        ast::BinOpKind::Gte => compare(Comparison::GreaterOrEqual, left, right),
        ast::BinOpKind::In => compare(Comparison::In, left, right),
        ast::BinOpKind::ScAnd => Expr::And(left, right),
        ast::BinOpKind::ScOr => Expr::Or(left, right),
        ast::BinOpKind::Add => Expr::Binary(Operator::Add, left, right),
        ast::BinOpKind::Sub => Expr::Binary(Operator::Subtract, left, right),
        ast::BinOpKind::Mul => Expr::Binary(Operator::Multiply, left, right),
        ast::BinOpKind::Div => Expr::Binary(Operator::Divide, left, right),
        ast::BinOpKind::FloorDiv => Expr::Binary(Operator::DivideWhole, left, right),
        ast::BinOpKind::Rem => Expr::Binary(Operator::Remainder, left, right),
        ast::BinOpKind::Pow => Expr::Binary(Operator::Power, left, right),
        ast::BinOpKind::Concat => Expr::Binary(Operator::Concat, left, right),
    }
}

fn comparison(op: ast::CompareOpKind) -> Comparison {
    match op {
        ast::CompareOpKind::Eq => Comparison::Equal,
        ast::CompareOpKind::Ne => Comparison::NotEqual,
        ast::CompareOpKind::Lt => Comparison::Less,
        ast::CompareOpKind::Lte => Comparison::LessOrEqual,
        ast::CompareOpKind::Gt => Comparison::Greater,
        ast::CompareOpKind::Gte => Comparison::GreaterOrEqual,
        ast::CompareOpKind::In => Comparison::In,
        ast::CompareOpKind::NotIn => Comparison::NotIn,
    }
}
