//! Expressions: the tree and its evaluation. An expression is evaluated in a [`Scope`] that answers for questions,
//! tables and the time; evaluation has a step limit, changes nothing and gives the same value for the same scope.

use core::fmt;
use std::sync::Arc;

use regex::Regex;

use crate::functions::{self, Function};
use crate::parse::{self, ParseFault};
use crate::value::Value;
use crate::{Answers, Now, Table, limits};

/// A binary operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// `or`
    Or,
    /// `and`
    And,
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `div`
    Divide,
    /// `mod`
    Modulo,
}

/// One node of an expression. Public, so that the risk rules can be read with three truth values.
#[derive(Debug, Clone)]
pub enum Node {
    /// A number.
    Number(f64),
    /// A text literal.
    Text(String),
    /// `${code}`.
    Question(String),
    /// `.`, the question that the expression belongs to.
    Here,
    /// `..`, what the question stands in.
    Parent,
    /// A bare name: a column of the choice or table row at hand.
    Column(String),
    /// `-x`.
    Negate(Box<Node>),
    /// Two operands.
    Binary(Op, Box<Node>, Box<Node>),
    /// A function call.
    Call {
        /// The function.
        function: &'static Function,
        /// Its arguments; their number was checked.
        args: Vec<Node>,
        /// The compiled pattern, when it is a literal.
        pattern: Option<Arc<Regex>>,
    },
    /// `instance('table')/root/item[predicate]/leaf`.
    Instance {
        /// The table's name.
        table: String,
        /// The predicates, all of which must hold.
        predicates: Vec<Node>,
        /// The column taken, `None` for the rows themselves.
        leaf: Option<String>,
    },
}

impl Node {
    /// Calls `visit` with this node and every node under it.
    pub fn walk<'a>(&'a self, visit: &mut dyn FnMut(&'a Node)) {
        visit(self);
        match self {
            Self::Negate(inner) => inner.walk(visit),
            Self::Binary(_, left, right) => {
                left.walk(visit);
                right.walk(visit);
            }
            Self::Call { args: inner, .. }
            | Self::Instance {
                predicates: inner, ..
            } => {
                for node in inner {
                    node.walk(visit);
                }
            }
            _ => {}
        }
    }
}

/// Why an evaluation stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EvalError {
    /// More steps than [`limits::STEPS`].
    #[error("more than {} steps", limits::STEPS)]
    Steps,
    /// A pattern that was put together at run time and is none.
    #[error("not a regular expression")]
    Pattern,
    /// A table that the pack does not hold.
    #[error("no such external table")]
    Table,
}

/// What an expression may ask while it is evaluated.
pub trait Scope {
    /// Returns the value of a question, the empty text when it has none.
    fn question(&self, code: &str) -> Value;
    /// Returns the moment of evaluation.
    fn now(&self) -> Now;
    /// Returns the value of the question that the expression belongs to (`.`).
    fn here(&self) -> Value {
        Value::empty()
    }
    /// Returns a column of the choice at hand, for choice filters.
    fn column(&self, _name: &str) -> Option<String> {
        None
    }
    /// Returns an external table.
    fn table(&self, _name: &str) -> Option<&Table> {
        None
    }
    /// Returns the round of the repeat that the question stands in, from 1.
    fn position(&self) -> usize {
        1
    }
}

/// The scope of a finished record: its answers and a moment. Used by statistics and rules.
#[derive(Debug, Clone, Copy)]
pub struct AnswerScope<'a> {
    answers: &'a Answers,
    now: Now,
}

impl<'a> AnswerScope<'a> {
    /// Makes a scope.
    #[must_use]
    pub fn new(answers: &'a Answers, now: Now) -> Self {
        Self { answers, now }
    }
}

impl Scope for AnswerScope<'_> {
    fn question(&self, code: &str) -> Value {
        self.answers.get(code).map_or_else(Value::empty, Value::of)
    }
    fn now(&self) -> Now {
        self.now
    }
}

/// A parsed expression with its source.
#[derive(Clone)]
pub struct Expr {
    source: String,
    root: Node,
}

impl fmt::Debug for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Expr").field(&self.source).finish()
    }
}

impl PartialEq for Expr {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl Expr {
    /// Parses an expression and checks names and arguments of its functions.
    ///
    /// # Errors
    /// A [`ParseFault`] with the place in the source, counted in characters from 0.
    pub fn parse(source: &str) -> Result<Self, ParseFault> {
        Ok(Self {
            source: source.to_owned(),
            root: parse::parse(source)?,
        })
    }

    /// Returns the source.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Returns the tree.
    #[must_use]
    pub fn root(&self) -> &Node {
        &self.root
    }

    /// Returns the questions it refers to, each once, in order of their first place.
    #[must_use]
    pub fn questions(&self) -> Vec<&str> {
        let mut found: Vec<&str> = Vec::new();
        self.root.walk(&mut |node| {
            if let Node::Question(code) = node
                && !found.contains(&code.as_str())
            {
                found.push(code);
            }
        });
        found
    }

    /// Says whether its value changes with time alone.
    #[must_use]
    pub fn is_volatile(&self) -> bool {
        let mut found = false;
        self.root
            .walk(&mut |node| found |= matches!(node, Node::Call { function, .. } if function.volatile));
        found
    }

    /// Evaluates it.
    ///
    /// # Errors
    /// [`EvalError`] at the step limit, for a pattern made at run time that is none, and for a table that is not there.
    pub fn eval(&self, scope: &dyn Scope) -> Result<Value, EvalError> {
        Evaluator {
            scope,
            steps: 0,
            row: None,
        }
        .eval(&self.root)
    }
}

/// One evaluation under way.
pub(crate) struct Evaluator<'a> {
    pub(crate) scope: &'a dyn Scope,
    steps: u32,
    row: Option<crate::choice::TableRow<'a>>,
}

impl Evaluator<'_> {
    pub(crate) fn eval(&mut self, node: &Node) -> Result<Value, EvalError> {
        self.step()?;
        Ok(match node {
            Node::Number(number) => Value::Number(*number),
            Node::Text(text) => Value::Text(text.clone()),
            Node::Question(code) => self.scope.question(code),
            Node::Here => self.scope.here(),
            Node::Parent => Value::empty(),
            Node::Column(name) => Value::Text(
                self.row
                    .and_then(|row| row.get(name).map(str::to_owned))
                    .or_else(|| self.scope.column(name))
                    .unwrap_or_default(),
            ),
            Node::Negate(inner) => Value::Number(-self.eval(inner)?.to_number()),
            Node::Binary(op, left, right) => self.binary(*op, left, right)?,
            Node::Call {
                function,
                args,
                pattern,
            } => functions::call(self, function, args, pattern.as_deref())?,
            Node::Instance {
                table,
                predicates,
                leaf,
            } => self.instance(table, predicates, leaf.as_deref())?,
        })
    }

    /// Counts one step.
    pub(crate) fn step(&mut self) -> Result<(), EvalError> {
        self.steps += 1;
        if self.steps > limits::STEPS {
            Err(EvalError::Steps)
        } else {
            Ok(())
        }
    }

    fn binary(&mut self, op: Op, left: &Node, right: &Node) -> Result<Value, EvalError> {
        use core::cmp::Ordering;
        let left = self.eval(left)?;
        // The second operand of `and` and `or` is not evaluated when the first decides.
        match op {
            Op::Or if left.to_bool() => return Ok(Value::Bool(true)),
            Op::And if !left.to_bool() => return Ok(Value::Bool(false)),
            _ => {}
        }
        let right = self.eval(right)?;
        let ordered = |wanted: &[Ordering]| {
            Value::Bool(
                left.compare(&right)
                    .is_some_and(|ordering| wanted.contains(&ordering)),
            )
        };
        let number = |value: f64| Value::Number(value);
        Ok(match op {
            Op::Or | Op::And => Value::Bool(right.to_bool()),
            Op::Equal => Value::Bool(left.equals(&right)),
            Op::NotEqual => Value::Bool(!left.equals(&right)),
            Op::Less => ordered(&[Ordering::Less]),
            Op::LessOrEqual => ordered(&[Ordering::Less, Ordering::Equal]),
            Op::Greater => ordered(&[Ordering::Greater]),
            Op::GreaterOrEqual => ordered(&[Ordering::Greater, Ordering::Equal]),
            Op::Add => number(left.to_number() + right.to_number()),
            Op::Subtract => number(left.to_number() - right.to_number()),
            Op::Multiply => number(left.to_number() * right.to_number()),
            Op::Divide => number(left.to_number() / right.to_number()),
            Op::Modulo => number(left.to_number() % right.to_number()),
        })
    }

    fn instance(&mut self, table: &str, predicates: &[Node], leaf: Option<&str>) -> Result<Value, EvalError> {
        let scope = self.scope;
        let table = scope.table(table).ok_or(EvalError::Table)?;
        let mut found = Vec::new();
        'rows: for row in table.rows() {
            self.step()?;
            let mut inner = Evaluator {
                scope,
                steps: self.steps,
                row: Some(row),
            };
            for predicate in predicates {
                let holds = inner.eval(predicate)?.to_bool();
                self.steps = inner.steps;
                if !holds {
                    continue 'rows;
                }
            }
            found.push(row.get(leaf.unwrap_or("name")).unwrap_or_default().to_owned());
        }
        Ok(Value::Nodes(found))
    }
}
