//! The words of a PDF (ISO 32000-1). Own and small: objects are found by looking for them, not by the cross-reference table,
//! so broken files are read too; everything is counted against the budget. An encrypted file yields nothing.

mod content;
mod file;
mod font;
mod object;

use super::{Sink, Work};
use crate::charset::reread;
use content::Painter;
use file::File;
use object::{Dict, Object};
use std::{collections::HashSet, rc::Rc};

/// No more pages are read.
const MOST_PAGES: usize = 2_000;

/// Reads the text of the pages in their order.
pub(super) fn read(bytes: &[u8], work: &mut Work, sink: &mut Sink) {
    let Some(file) = File::open(bytes, work) else { return };
    let mut own = Sink::new(sink.room);
    let mut painter = Painter::new(&file, &mut own);
    let _ = pages(&file, work, &mut painter);
    let hint = painter.hint;
    sink.push(&reread(&own.text, hint));
}

/// Walks the tree of pages (§7.7.3); resources are inherited. No node is visited twice.
fn pages(file: &File<'_>, work: &mut Work, painter: &mut Painter<'_, '_>) -> Option<()> {
    let catalog = file.get(file.root()?, work)?.into_dict()?;
    let mut open = vec![(catalog.get(b"Pages".as_slice())?.clone(), Rc::new(Dict::new()))];
    let mut seen = HashSet::new();
    let mut count = 0;
    while let Some((node, inherited)) = open.pop() {
        work.step(100)?;
        if let Object::Reference(number) = node
            && !seen.insert(number)
        {
            continue;
        }
        let Some(node) = file.resolve(&node, work).and_then(Object::into_dict) else { continue };
        let own =
            node.get(b"Resources".as_slice()).and_then(|r| file.resolve(r, work)).and_then(Object::into_dict);
        let resources = own.map_or(inherited, Rc::new);
        match node.get(b"Kids".as_slice()).and_then(|kids| file.resolve(kids, work)) {
            Some(Object::Array(kids)) => {
                work.step(kids.len())?;
                open.extend(kids.into_iter().rev().map(|kid| (kid, resources.clone())));
                if open.len() > 10 * MOST_PAGES {
                    return None;
                }
            }
            _ => {
                count += 1;
                if count > MOST_PAGES {
                    return None;
                }
                painter.page(&node, &resources, work)?;
            }
        }
    }
    Some(())
}
