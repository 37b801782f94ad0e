//! The grammar (RFC 5228 §8.2): commands, tests and arguments, of whatever name.

use crate::{
    fault::{Fault, ScriptError},
    lexer::{Lexer, Place, Token},
};

/// Blocks and tests within each other; RFC 5228 §2.10.5 asks for fifteen.
const DEEPEST: usize = 32;
/// Commands, tests and strings of a script.
const MOST_NODES: usize = 20_000;

/// A value, tag or list.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Argument {
    pub(crate) place: Place,
    pub(crate) value: Value,
}

/// What an argument is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Tag(String),
    Number(u64),
    /// A string, or a list of strings in brackets.
    Strings(Vec<String>),
}

/// A command or a test: they are written alike.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub(crate) place: Place,
    pub(crate) name: String,
    pub(crate) arguments: Vec<Argument>,
    /// Tests of this; only `allof` and `anyof` have several.
    pub(crate) tests: Vec<Self>,
    /// Whether the tests stood in parentheses.
    pub(crate) is_list: bool,
    /// The commands in braces.
    pub(crate) block: Option<Vec<Self>>,
}

pub(crate) fn parse(text: &str) -> Result<Vec<Node>, ScriptError> {
    let mut lexer = Lexer::new(text);
    let (place, token) = lexer.next()?;
    let mut parser = Parser { lexer, place, token, nodes: 0 };
    let commands = parser.commands(0)?;
    if parser.token != Token::End {
        return Err(parser.expected("a command"));
    }
    Ok(commands)
}

struct Parser<'a> {
    lexer: Lexer<'a>,
    place: Place,
    token: Token,
    nodes: usize,
}

impl Parser<'_> {
    fn expected(&self, what: &'static str) -> ScriptError {
        self.place.error(Fault::Expected(what))
    }

    fn advance(&mut self) -> Result<Token, ScriptError> {
        let (place, token) = self.lexer.next()?;
        self.place = place;
        Ok(std::mem::replace(&mut self.token, token))
    }

    fn is(&self, mark: char) -> bool {
        self.token == Token::Mark(mark)
    }

    fn mark(&mut self, mark: char, what: &'static str) -> Result<(), ScriptError> {
        if !self.is(mark) {
            return Err(self.expected(what));
        }
        self.advance().map(drop)
    }

    fn count(&mut self) -> Result<(), ScriptError> {
        self.nodes += 1;
        if self.nodes > MOST_NODES { Err(self.place.error(Fault::TooMany)) } else { Ok(()) }
    }

    /// `commands = *command`
    fn commands(&mut self, depth: usize) -> Result<Vec<Node>, ScriptError> {
        let mut commands = Vec::new();
        while matches!(self.token, Token::Identifier(_)) {
            let mut command = self.node(depth)?;
            if self.is('{') {
                if depth >= DEEPEST {
                    return Err(self.place.error(Fault::TooDeep));
                }
                self.advance()?;
                command.block = Some(self.commands(depth + 1)?);
                self.mark('}', "a command or }")?;
            } else {
                self.mark(';', "; or a block in braces")?;
            }
            commands.push(command);
        }
        Ok(commands)
    }

    /// `identifier arguments`, `arguments = *argument [ test / test-list ]`
    fn node(&mut self, depth: usize) -> Result<Node, ScriptError> {
        self.count()?;
        let place = self.place;
        if depth > 2 * DEEPEST {
            return Err(place.error(Fault::TooDeep));
        }
        let Token::Identifier(name) = self.advance()? else {
            return Err(place.error(Fault::Expected("a name")));
        };
        let mut node =
            Node { place, name, arguments: Vec::new(), tests: Vec::new(), is_list: false, block: None };
        while let Some(argument) = self.argument()? {
            node.arguments.push(argument);
        }
        match self.token {
            Token::Identifier(_) => node.tests.push(self.node(depth + 1)?),
            Token::Mark('(') => {
                node.is_list = true;
                self.advance()?;
                loop {
                    if !matches!(self.token, Token::Identifier(_)) {
                        return Err(self.expected("a test"));
                    }
                    node.tests.push(self.node(depth + 1)?);
                    if !self.is(',') {
                        break;
                    }
                    self.advance()?;
                }
                self.mark(')', ", or )")?;
            }
            _ => {}
        }
        Ok(node)
    }

    /// `argument = string-list / number / tag`
    fn argument(&mut self) -> Result<Option<Argument>, ScriptError> {
        let place = self.place;
        let value = match &self.token {
            Token::Tag(_) | Token::Number(_) | Token::Text(_) => match self.advance()? {
                Token::Tag(name) => Value::Tag(name),
                Token::Number(number) => Value::Number(number),
                Token::Text(text) => Value::Strings(vec![text]),
                _ => return Ok(None),
            },
            Token::Mark('[') => {
                self.advance()?;
                let mut list = Vec::new();
                loop {
                    self.count()?;
                    if !matches!(self.token, Token::Text(_)) {
                        return Err(self.expected("a string"));
                    }
                    if let Token::Text(text) = self.advance()? {
                        list.push(text);
                    }
                    if !self.is(',') {
                        break;
                    }
                    self.advance()?;
                }
                self.mark(']', ", or ]")?;
                Value::Strings(list)
            }
            _ => return Ok(None),
        };
        self.count()?;
        Ok(Some(Argument { place, value }))
    }
}
