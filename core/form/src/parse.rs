//! The parser of the expression language: XPath 1.0 as ODK uses it, with `${code}` references. Bounded in length and
//! depth; it never panics, whatever text it is given.

use std::sync::Arc;

use crate::expr::{Node, Op};
use crate::functions::{self, Function};
use crate::limits;

/// Why a text is no expression. Places are counted in characters from 0; printed, from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseFault {
    /// Nothing, or only spaces.
    #[error("empty expression")]
    Empty,
    /// Longer than [`limits::EXPRESSION`].
    #[error("longer than {} bytes", limits::EXPRESSION)]
    TooLong,
    /// Deeper than [`limits::EXPRESSION_DEPTH`], or nested deeper than [`limits::EXPRESSION_NESTING`].
    #[error("nested too deep at character {}", .at + 1)]
    TooDeep {
        /// The place.
        at: usize,
    },
    /// Something that does not belong there.
    #[error("unexpected {what} at character {}", .at + 1)]
    Unexpected {
        /// The place.
        at: usize,
        /// What stands there.
        what: &'static str,
    },
    /// A quote, brace or parenthesis that is not closed.
    #[error("{what} opened at character {} is not closed", .at + 1)]
    Unclosed {
        /// The place where it was opened.
        at: usize,
        /// What was opened.
        what: &'static str,
    },
    /// No such function.
    #[error("unknown function `{name}` at character {}", .at + 1)]
    UnknownFunction {
        /// The place.
        at: usize,
        /// Its name in the source.
        name: String,
    },
    /// Too many or too few arguments.
    #[error("`{}` takes {} arguments, not {given}, at character {}", .function.name, range(.function), .at + 1)]
    Arity {
        /// The place.
        at: usize,
        /// The function.
        function: &'static Function,
        /// How many were given.
        given: usize,
    },
    /// A pattern that is none, or too large.
    #[error("not a regular expression (or too large) at character {}", .at + 1)]
    Pattern {
        /// The place.
        at: usize,
    },
    /// Part of XPath or ODK that this program does not have.
    #[error("{what} not supported, at character {}", .at + 1)]
    NotSupported {
        /// The place.
        at: usize,
        /// What.
        what: &'static str,
    },
}

fn range(function: &Function) -> String {
    match (function.min, function.max) {
        (min, max) if min == max => min.to_string(),
        (min, usize::MAX) => format!("{min} or more"),
        (min, max) => format!("{min} to {max}"),
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Number(f64),
    Text(String),
    Reference(String),
    Name(String),
    Symbol(&'static str),
    End,
}

/// A token and its place.
type Placed = (Token, usize);

/// Symbols, longer ones first.
const SYMBOLS: [&str; 18] = [
    "!=", "<=", ">=", "..", "//", "=", "<", ">", "+", "-", "*", "(", ")", "[", "]", ",", "/", ".",
];

fn name_start(c: char) -> bool {
    c.is_alphabetic() || c == '_'
}

fn name_rest(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':')
}

fn lex(source: &str) -> Result<Vec<Placed>, ParseFault> {
    let chars: Vec<char> = source.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    let get = |at: usize| chars.get(at).copied();
    while let Some(c) = get(at) {
        let start = at;
        if c.is_whitespace() {
            at += 1;
        } else if c == '\'' || c == '"' {
            at += 1;
            let mut text = String::new();
            loop {
                match get(at) {
                    Some(end) if end == c => break,
                    Some(other) => text.push(other),
                    None => {
                        return Err(ParseFault::Unclosed {
                            at: start,
                            what: "a quote",
                        });
                    }
                }
                at += 1;
            }
            at += 1;
            tokens.push((Token::Text(text), start));
        } else if c == '$' {
            if get(at + 1) != Some('{') {
                return Err(ParseFault::Unexpected {
                    at: start,
                    what: "`$` without `{`",
                });
            }
            at += 2;
            let mut name = String::new();
            loop {
                match get(at) {
                    Some('}') => break,
                    Some('#') => {
                        return Err(ParseFault::NotSupported {
                            at: start,
                            what: "`${last-saved#…}`",
                        });
                    }
                    Some(other) if name_rest(other) || other == ' ' => name.push(other),
                    Some(_) => {
                        return Err(ParseFault::Unexpected {
                            at,
                            what: "character in a reference",
                        });
                    }
                    None => {
                        return Err(ParseFault::Unclosed {
                            at: start,
                            what: "a reference",
                        });
                    }
                }
                at += 1;
            }
            at += 1;
            let name = name.trim().to_owned();
            if name.is_empty() {
                return Err(ParseFault::Unexpected {
                    at: start,
                    what: "empty reference",
                });
            }
            tokens.push((Token::Reference(name), start));
        } else if c.is_ascii_digit() || (c == '.' && get(at + 1).is_some_and(|next| next.is_ascii_digit())) {
            let mut text = String::new();
            let mut point = false;
            while let Some(digit) = get(at).filter(|c| c.is_ascii_digit() || (*c == '.' && !point)) {
                point |= digit == '.';
                text.push(digit);
                at += 1;
            }
            if get(at).is_some_and(name_start) {
                return Err(ParseFault::Unexpected {
                    at,
                    what: "letter after a number",
                });
            }
            let number = text.parse().map_err(|_| ParseFault::Unexpected {
                at: start,
                what: "number",
            })?;
            tokens.push((Token::Number(number), start));
        } else if name_start(c) {
            let mut name = String::new();
            while let Some(part) = get(at).filter(|c| name_rest(*c)) {
                name.push(part);
                at += 1;
            }
            tokens.push((Token::Name(name), start));
        } else {
            let matches = |symbol: &&&str| symbol.chars().enumerate().all(|(n, c)| get(start + n) == Some(c));
            let symbol = SYMBOLS.iter().find(matches);
            let symbol = symbol.ok_or(ParseFault::Unexpected {
                at: start,
                what: "character",
            })?;
            at += symbol.chars().count();
            tokens.push((Token::Symbol(symbol), start));
        }
    }
    tokens.push((Token::End, chars.len()));
    Ok(tokens)
}

/// A node and how deep its tree is.
type Deep = (Node, usize);

struct Parser {
    tokens: Vec<Placed>,
    next: usize,
    nested: usize,
}

/// The binary operators and how tightly each binds.
const OPERATORS: [(&str, Op, u8); 13] = [
    ("or", Op::Or, 1),
    ("and", Op::And, 2),
    ("=", Op::Equal, 3),
    ("!=", Op::NotEqual, 3),
    ("<", Op::Less, 4),
    ("<=", Op::LessOrEqual, 4),
    (">", Op::Greater, 4),
    (">=", Op::GreaterOrEqual, 4),
    ("+", Op::Add, 5),
    ("-", Op::Subtract, 5),
    ("*", Op::Multiply, 6),
    ("div", Op::Divide, 6),
    ("mod", Op::Modulo, 6),
];

/// Parses a whole source.
pub(crate) fn parse(source: &str) -> Result<Node, ParseFault> {
    if source.len() > limits::EXPRESSION {
        return Err(ParseFault::TooLong);
    }
    if source.trim().is_empty() {
        return Err(ParseFault::Empty);
    }
    let mut parser = Parser {
        tokens: lex(source)?,
        next: 0,
        nested: 0,
    };
    let (node, _) = parser.expression()?;
    match parser.peek() {
        Token::End => Ok(node),
        _ => Err(parser.unexpected()),
    }
}

impl Parser {
    fn peek(&self) -> &Token {
        self.tokens.get(self.next).map_or(&Token::End, |(token, _)| token)
    }

    fn at(&self) -> usize {
        self.tokens
            .get(self.next)
            .or(self.tokens.last())
            .map_or(0, |(_, at)| *at)
    }

    fn take(&mut self) -> Token {
        let token = self.peek().clone();
        self.next += 1;
        token
    }

    fn eat(&mut self, symbol: &'static str) -> bool {
        let found = *self.peek() == Token::Symbol(symbol);
        if found {
            self.next += 1;
        }
        found
    }

    fn unexpected(&self) -> ParseFault {
        let what = match self.peek() {
            Token::End => "end",
            Token::Number(_) => "number",
            Token::Text(_) => "text",
            Token::Reference(_) => "reference",
            Token::Name(_) => "name",
            Token::Symbol(symbol) => symbol,
        };
        ParseFault::Unexpected { at: self.at(), what }
    }

    fn deep(&self, node: Node, depth: usize) -> Result<Deep, ParseFault> {
        if depth > limits::EXPRESSION_DEPTH {
            Err(ParseFault::TooDeep { at: self.at() })
        } else {
            Ok((node, depth))
        }
    }

    fn expression(&mut self) -> Result<Deep, ParseFault> {
        self.nested += 1;
        if self.nested > limits::EXPRESSION_NESTING {
            return Err(ParseFault::TooDeep { at: self.at() });
        }
        let result = self.binary(1);
        self.nested -= 1;
        result
    }

    /// Operators that bind at least as tightly as `least`. A phone's threads have small stacks: this calls itself only
    /// for a right operand, at most six deep.
    fn binary(&mut self, least: u8) -> Result<Deep, ParseFault> {
        let (mut left, mut depth) = self.unary()?;
        loop {
            let found = match self.peek() {
                Token::Symbol(symbol) => OPERATORS.iter().find(|(name, _, _)| name == symbol),
                Token::Name(word) => OPERATORS.iter().find(|(name, _, _)| name == word),
                _ => None,
            };
            let Some((_, op, tightness)) = found.filter(|(_, _, tightness)| *tightness >= least) else {
                return Ok((left, depth));
            };
            self.next += 1;
            let (right, right_depth) = self.binary(tightness + 1)?;
            let node = Node::Binary(*op, Box::new(left), Box::new(right));
            (left, depth) = self.deep(node, depth.max(right_depth) + 1)?;
        }
    }

    fn unary(&mut self) -> Result<Deep, ParseFault> {
        let mut signs = 0;
        while self.eat("-") {
            signs += 1;
            if signs > limits::EXPRESSION_DEPTH {
                return Err(ParseFault::TooDeep { at: self.at() });
            }
        }
        let (mut node, mut depth) = self.primary()?;
        for _ in 0..signs {
            (node, depth) = self.deep(Node::Negate(Box::new(node)), depth + 1)?;
        }
        Ok((node, depth))
    }

    fn primary(&mut self) -> Result<Deep, ParseFault> {
        let at = self.at();
        let fault = self.unexpected();
        let node = match self.take() {
            Token::Number(number) => Node::Number(number),
            Token::Text(text) => Node::Text(text),
            Token::Reference(code) => Node::Question(code),
            Token::Symbol(".") => Node::Here,
            Token::Symbol("..") => Node::Parent,
            Token::Symbol("(") => {
                let inner = self.expression()?;
                if !self.eat(")") {
                    return Err(self.unclosed(at, "a parenthesis"));
                }
                return self.path_end(inner);
            }
            Token::Symbol("/" | "//") => {
                return Err(ParseFault::NotSupported {
                    at,
                    what: "absolute paths",
                });
            }
            Token::Name(name) if *self.peek() == Token::Symbol("(") => return self.call(&name, at),
            Token::Name(name) => Node::Column(name),
            _ => return Err(fault),
        };
        self.path_end((node, 1))
    }

    /// A path may follow `instance()` only.
    fn path_end(&self, node: Deep) -> Result<Deep, ParseFault> {
        match self.peek() {
            Token::Symbol("/" | "//" | "[") => Err(ParseFault::NotSupported {
                at: self.at(),
                what: "paths other than instance(…)/root/item",
            }),
            _ => Ok(node),
        }
    }

    fn unclosed(&self, at: usize, what: &'static str) -> ParseFault {
        if *self.peek() == Token::End {
            ParseFault::Unclosed { at, what }
        } else {
            self.unexpected()
        }
    }

    fn call(&mut self, name: &str, at: usize) -> Result<Deep, ParseFault> {
        let open = self.at();
        self.eat("(");
        if name == "instance" {
            return self.instance(at);
        }
        let function = functions::find(name);
        let function = function.ok_or_else(|| ParseFault::UnknownFunction {
            at,
            name: name.to_owned(),
        })?;
        let mut args = Vec::new();
        let mut depth = 0;
        let mut places = Vec::new();
        if !self.eat(")") {
            loop {
                places.push(self.at());
                let (arg, arg_depth) = self.expression()?;
                args.push(arg);
                depth = depth.max(arg_depth);
                if self.eat(")") {
                    break;
                }
                if !self.eat(",") {
                    return Err(self.unclosed(open, "a parenthesis"));
                }
            }
        }
        if args.len() < function.min || args.len() > function.max {
            return Err(ParseFault::Arity {
                at,
                function,
                given: args.len(),
            });
        }
        let mut pattern = None;
        if function.takes_pattern()
            && let Some(Node::Text(source)) = args.get(1)
        {
            let place = places.get(1).copied().unwrap_or(at);
            pattern = Some(
                functions::compile_pattern(source)
                    .map(Arc::new)
                    .ok_or(ParseFault::Pattern { at: place })?,
            );
        }
        let node = self.deep(
            Node::Call {
                function,
                args,
                pattern,
            },
            depth + 1,
        )?;
        self.path_end(node)
    }

    /// `instance('table')/root/item[predicate]…/leaf`, after the parenthesis.
    fn instance(&mut self, at: usize) -> Result<Deep, ParseFault> {
        let Token::Text(table) = self.take() else {
            return Err(ParseFault::NotSupported {
                at,
                what: "instance() without a literal name",
            });
        };
        let mut ok = self.eat(")");
        for step in ["root", "item"] {
            ok = ok && self.eat("/") && self.take() == Token::Name(step.to_owned());
        }
        if !ok {
            return Err(ParseFault::NotSupported {
                at,
                what: "instance() without /root/item",
            });
        }
        let mut predicates = Vec::new();
        let mut depth = 0;
        loop {
            let open = self.at();
            if !self.eat("[") {
                break;
            }
            let (predicate, predicate_depth) = self.expression()?;
            if !self.eat("]") {
                return Err(self.unclosed(open, "a bracket"));
            }
            predicates.push(predicate);
            depth = depth.max(predicate_depth);
        }
        let mut leaf = None;
        if self.eat("/") {
            let fault = self.unexpected();
            let Token::Name(name) = self.take() else {
                return Err(fault);
            };
            leaf = Some(name);
        }
        let node = self.deep(
            Node::Instance {
                table,
                predicates,
                leaf,
            },
            depth + 1,
        )?;
        self.path_end(node)
    }
}
