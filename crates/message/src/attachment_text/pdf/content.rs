//! What a page's content shows as text (ISO 32000-1 §9.4): which letters, and, by where they stand, which blanks and line ends
//! a reader sees between them.

use super::{
    super::{Sink, Work},
    file::File,
    font::Font,
    object::{Dict, Lexer, Object},
};
use crate::charset::Hint;
use std::{collections::HashMap, rc::Rc};

/// Forms within forms (§8.10).
const DEEPEST: usize = 6;
/// Operands that are kept for an operator.
const MOST_OPERANDS: usize = 64;
/// Graphics states that are kept.
const MOST_STATES: usize = 64;

#[derive(Debug, Clone, Copy)]
struct Matrix([f64; 6]);

impl Matrix {
    const ONE: Self = Self([1.0, 0.0, 0.0, 1.0, 0.0, 0.0]);

    fn of(operands: &[Object]) -> Option<Self> {
        let mut own = Self::ONE;
        let operands = operands.get(operands.len().checked_sub(6)?..)?;
        for (place, operand) in own.0.iter_mut().zip(operands) {
            *place = operand.number()?;
        }
        Some(own)
    }

    const fn shift(x: f64, y: f64) -> Self {
        Self([1.0, 0.0, 0.0, 1.0, x, y])
    }

    /// First this, then `then`.
    fn then(self, then: Self) -> Self {
        let ([a, b, c, d, e, f], [p, q, r, s, t, u]) = (self.0, then.0);
        Self([
            a * p + b * r,
            a * q + b * s,
            c * p + d * r,
            c * q + d * s,
            e * p + f * r + t,
            e * q + f * s + u,
        ])
    }
}

#[derive(Clone)]
struct State {
    place: Matrix,
    font: Option<Rc<Font>>,
    size: f64,
    leading: f64,
    between_letters: f64,
    between_words: f64,
}

/// Reads pages into text.
pub(super) struct Painter<'f, 's> {
    file: &'f File<'f>,
    sink: &'s mut Sink,
    fonts: HashMap<u32, Option<Rc<Font>>>,
    /// What the name of a font that was used says.
    pub(super) hint: Option<Hint>,
    /// Where the pen was left, and how large the letters were.
    pen: Option<(f64, f64, f64)>,
}

/// The text object under way: where the line began, where the pen is.
#[derive(Clone, Copy)]
struct Line {
    start: Matrix,
    pen: Matrix,
}

impl Line {
    fn move_by(&mut self, x: f64, y: f64) {
        self.start = Matrix::shift(x, y).then(self.start);
        self.pen = self.start;
    }
}

impl<'f, 's> Painter<'f, 's> {
    pub(super) fn new(file: &'f File<'f>, sink: &'s mut Sink) -> Self {
        Self { file, sink, fonts: HashMap::new(), hint: None, pen: None }
    }

    /// Reads one page; `None` when nothing more can be read.
    pub(super) fn page(&mut self, page: &Dict, resources: &Dict, work: &mut Work) -> Option<()> {
        let parts = match page.get(b"Contents".as_slice()) {
            Some(Object::Reference(number)) => match self.file.get(*number, work) {
                Some(Object::Array(parts)) => parts,
                _ => vec![Object::Reference(*number)],
            },
            Some(Object::Array(parts)) => parts.clone(),
            _ => Vec::new(),
        };
        let mut content = Vec::new();
        for part in parts {
            let Object::Reference(number) = part else { continue };
            work.step(10)?;
            if let Some((_, bytes)) = self.file.stream(number, work) {
                content.extend_from_slice(&bytes);
                content.push(b'\n');
            }
        }
        self.pen = None;
        self.run(&content, resources, Matrix::ONE, 0, work)?;
        self.sink.separate("\n");
        (!self.sink.is_full()).then_some(())
    }

    fn run(
        &mut self,
        content: &[u8],
        resources: &Dict,
        place: Matrix,
        depth: usize,
        work: &mut Work,
    ) -> Option<()> {
        let mut lexer = Lexer::new(content, 0);
        let mut state =
            State { place, font: None, size: 0.0, leading: 0.0, between_letters: 0.0, between_words: 0.0 };
        let mut states = Vec::new();
        let mut line = Line { start: Matrix::ONE, pen: Matrix::ONE };
        let mut operands: Vec<Object> = Vec::new();
        while let Some(object) = lexer.next() {
            work.step(5)?;
            if self.sink.is_full() {
                return None;
            }
            let Object::Word(operator) = object else {
                if operands.len() < MOST_OPERANDS {
                    operands.push(object);
                }
                continue;
            };
            let first = |place: usize| operands.get(place).and_then(Object::number);
            match operator.as_slice() {
                b"q" if states.len() < MOST_STATES => states.push(state.clone()),
                b"Q" => state = states.pop().unwrap_or(state),
                b"cm" => state.place = Matrix::of(&operands)?.then(state.place),
                b"BT" => line = Line { start: Matrix::ONE, pen: Matrix::ONE },
                b"Tf" => {
                    state.size = first(1).unwrap_or(0.0);
                    state.font = self.font(operands.first(), resources, work);
                }
                b"Do" => self.form(operands.first(), resources, state.place, depth, work)?,
                b"ID" => lexer.at += after_image(lexer.rest(), work)?,
                _ => self.text_operator(&operator, &operands, &mut state, &mut line, work)?,
            }
            operands.clear();
        }
        Some(())
    }

    /// The operators of text objects (§9.3, §9.4).
    fn text_operator(
        &mut self,
        operator: &[u8],
        operands: &[Object],
        state: &mut State,
        line: &mut Line,
        work: &mut Work,
    ) -> Option<()> {
        let number = |place: usize| operands.get(place).and_then(Object::number).unwrap_or(0.0);
        match operator {
            b"Tc" => state.between_letters = number(0),
            b"Tw" => state.between_words = number(0),
            b"TL" => state.leading = number(0),
            b"Td" => line.move_by(number(0), number(1)),
            b"TD" => {
                state.leading = -number(1);
                line.move_by(number(0), number(1));
            }
            b"Tm" => {
                if let Some(matrix) = Matrix::of(operands) {
                    *line = Line { start: matrix, pen: matrix };
                }
            }
            b"T*" => line.move_by(0.0, -state.leading),
            b"Tj" => self.show(operands.first(), state, line, work)?,
            b"'" => {
                line.move_by(0.0, -state.leading);
                self.show(operands.first(), state, line, work)?;
            }
            b"\"" => {
                (state.between_words, state.between_letters) = (number(0), number(1));
                line.move_by(0.0, -state.leading);
                self.show(operands.get(2), state, line, work)?;
            }
            b"TJ" => {
                let Some(Object::Array(pieces)) = operands.first() else { return Some(()) };
                for piece in pieces {
                    match piece {
                        Object::Number(back) => {
                            line.pen = Matrix::shift(-back / 1000.0 * state.size, 0.0).then(line.pen);
                        }
                        text => self.show(Some(text), state, line, work)?,
                    }
                }
            }
            _ => {}
        }
        Some(())
    }

    /// Shows a string: a blank or a line end first, where the pen was moved.
    fn show(&mut self, text: Option<&Object>, state: &State, line: &mut Line, work: &mut Work) -> Option<()> {
        let (Some(Object::Text(bytes)), Some(font)) = (text, &state.font) else { return Some(()) };
        work.step(bytes.len())?;
        let [a, b, _, _, x, y] = line.pen.then(state.place).0;
        let height = (a.hypot(b) * state.size).abs().max(0.01);
        if let Some((last_x, last_y, last_height)) = self.pen {
            let taller = height.max(last_height);
            if (y - last_y).abs() > 0.5 * taller {
                self.sink.separate("\n");
            } else if x - last_x > 0.17 * taller || last_x - x > taller {
                self.sink.separate(" ");
            }
        }
        self.sink.push(&font.text(bytes));
        let mut width = 0.0;
        for glyph in font.glyphs(bytes) {
            width += glyph.width / 1000.0 * state.size + state.between_letters;
            if glyph.is_space {
                width += state.between_words;
            }
        }
        line.pen = Matrix::shift(width, 0.0).then(line.pen);
        let [.., x, y] = line.pen.then(state.place).0;
        self.pen = Some((x, y, height));
        self.hint = self.hint.or(font.hint);
        Some(())
    }

    fn font(&mut self, name: Option<&Object>, resources: &Dict, work: &mut Work) -> Option<Rc<Font>> {
        let font = self.resource(b"Font", name?.name()?, resources, work)?;
        // A font that is no object of its own would be read anew each time; nobody writes that.
        let Object::Reference(number) = font else { return None };
        if let Some(known) = self.fonts.get(&number) {
            return known.clone();
        }
        let dict = self.file.get(number, work).and_then(Object::into_dict);
        let font = dict.and_then(|dict| Font::read(&dict, self.file, work)).map(Rc::new);
        self.fonts.insert(number, font.clone());
        font
    }

    fn resource(&self, kind: &[u8], name: &[u8], resources: &Dict, work: &mut Work) -> Option<Object> {
        match resources.get(kind)? {
            Object::Dict(dict) => dict.get(name).cloned(),
            reference => self.file.resolve(reference, work)?.into_dict()?.remove(name),
        }
    }

    /// A form is content of its own, with its own resources.
    fn form(
        &mut self,
        name: Option<&Object>,
        resources: &Dict,
        place: Matrix,
        depth: usize,
        work: &mut Work,
    ) -> Option<()> {
        work.step(50)?;
        if depth >= DEEPEST {
            return Some(());
        }
        let found =
            name.and_then(Object::name).and_then(|name| self.resource(b"XObject", name, resources, work));
        let Some(Object::Reference(number)) = found else { return Some(()) };
        let is_form = self
            .file
            .get(number, work)
            .and_then(Object::into_dict)
            .is_some_and(|dict| dict.get(b"Subtype".as_slice()).and_then(Object::name) == Some(b"Form"));
        if !is_form {
            return Some(());
        }
        let Some((dict, content)) = self.file.stream(number, work) else { return Some(()) };
        let own = dict
            .get(b"Resources".as_slice())
            .and_then(|r| self.file.resolve(r, work))
            .and_then(Object::into_dict);
        let matrix = match dict.get(b"Matrix".as_slice()) {
            Some(Object::Array(matrix)) => Matrix::of(matrix).unwrap_or(Matrix::ONE),
            _ => Matrix::ONE,
        };
        self.run(&content, own.as_ref().unwrap_or(resources), matrix.then(place), depth + 1, work)
    }
}

/// The length of an inline image (§8.9.7), up to behind its `EI`.
fn after_image(rest: &[u8], work: &mut Work) -> Option<usize> {
    let end = memchr::memmem::find_iter(rest, b"EI").find(|at| {
        let before = at.checked_sub(1).and_then(|at| rest.get(at)).is_some_and(u8::is_ascii_whitespace);
        before && rest.get(at + 2).is_none_or(u8::is_ascii_whitespace)
    });
    let length = end.map_or(rest.len(), |at| at + 2);
    work.step(length / 16)?;
    Some(length)
}
