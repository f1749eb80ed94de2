//! What a buyer does to a cart, and what comes of it: rules without a database.

use std::collections::{HashMap, HashSet};

use catalog::Sellable;
use kernel::Quantity;

use crate::model::{CheckoutId, Line, MOST_LINES};

/// What is sold today, by SKU.
pub(crate) type Products = HashMap<String, Sellable>;

/// Units of a SKU that a buyer wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// What.
    pub sku: String,
    /// How many.
    pub quantity: Quantity,
}

/// Why a cart was not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeCartError {
    /// No product has the SKU of that line.
    #[error("line {line}: no product has SKU {sku}")]
    UnknownSku {
        /// Place in the request, from 0.
        line: usize,
        /// The SKU.
        sku: String,
    },
    /// The product is not sold any more.
    #[error("line {line}: {sku} is not sold any more")]
    Inactive {
        /// Place in the request, from 0.
        line: usize,
        /// The SKU.
        sku: String,
    },
    /// Zero or below.
    #[error("line {line}: the quantity must be above zero")]
    NotPositive {
        /// Place in the request, from 0.
        line: usize,
    },
    /// More than a line holds, together with what is in the cart.
    #[error("line {line}: a line holds at most {} units", Quantity::MOST_ON_A_LINE / 1000)]
    TooMuch {
        /// Place in the request, from 0.
        line: usize,
    },
    /// The SKU stands twice in the request.
    #[error("line {line}: the SKU is named twice")]
    Repeated {
        /// Place in the request, from 0.
        line: usize,
    },
    /// More lines than a cart holds.
    #[error("a cart holds at most {MOST_LINES} lines")]
    TooManyLines,
    /// The SKU is not in the cart.
    #[error("the SKU is not in the cart")]
    NoSuchLine,
    /// A checkout has it.
    #[error("{0} is under way with the cart")]
    InCheckout(CheckoutId),
}

/// What a buyer does to a cart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Adds units to what is in it; the whole line takes the price of now.
    Add(Wanted),
    /// Sets how many units of a SKU, which must be there; the line takes the price of now.
    Set(Wanted),
    /// Takes a SKU out; one that is not there is no error.
    Remove(String),
    /// Replaces all that is in it, at the prices of now; see [`Change::replace`].
    Replace(Vec<Wanted>),
    /// Takes over today's prices and names, and takes out what is not sold any more: the buyer has seen the notices and
    /// goes on.
    Accept,
    /// Empties it.
    Clear,
}

impl Change {
    /// Replaces all that is in a cart by `wanted`.
    ///
    /// # Errors
    /// [`ChangeCartError::TooManyLines`], [`ChangeCartError::Repeated`].
    pub(crate) fn replace(wanted: Vec<Wanted>) -> Result<Self, ChangeCartError> {
        if wanted.len() > MOST_LINES {
            return Err(ChangeCartError::TooManyLines);
        }
        let mut seen = HashSet::new();
        match wanted.iter().position(|wanted| !seen.insert(&wanted.sku)) {
            Some(line) => Err(ChangeCartError::Repeated { line }),
            None => Ok(Self::Replace(wanted)),
        }
    }

    /// What the catalog is asked for beside the cart's own lines.
    pub(crate) fn wanted(&self) -> &[Wanted] {
        match self {
            Self::Add(wanted) | Self::Set(wanted) => std::slice::from_ref(wanted),
            Self::Replace(wanted) => wanted,
            Self::Remove(_) | Self::Accept | Self::Clear => &[],
        }
    }

    /// Whether lines that are in the cart may still be in it afterwards.
    pub(crate) fn keeps_lines(&self) -> bool {
        !matches!(self, Self::Replace(_) | Self::Clear)
    }

    /// The lines of a cart with `lines` after this change, given what is sold today.
    ///
    /// # Errors
    /// [`ChangeCartError`]; nothing is changed then.
    pub(crate) fn apply(&self, lines: &[Line], products: &Products) -> Result<Vec<Line>, ChangeCartError> {
        match self {
            Self::Add(wanted) => {
                let before = find(lines, &wanted.sku).map_or(0, |line| line.units);
                put(lines, new_line(0, wanted, before, products)?)
            }
            Self::Set(wanted) if find(lines, &wanted.sku).is_none() => Err(ChangeCartError::NoSuchLine),
            Self::Set(wanted) => put(lines, new_line(0, wanted, 0, products)?),
            Self::Remove(sku) => Ok(lines.iter().filter(|line| line.sku != *sku).cloned().collect()),
            Self::Replace(all) => {
                all.iter().enumerate().map(|(place, wanted)| new_line(place, wanted, 0, products)).collect()
            }
            Self::Accept => Ok(lines.iter().filter_map(|line| as_of_now(line, products)).collect()),
            Self::Clear => Ok(Vec::new()),
        }
    }
}

fn as_of_now(line: &Line, products: &Products) -> Option<Line> {
    let product = products.get(&line.sku).filter(|product| product.active)?;
    Some(Line { unit_price: product.price, name: product.name.clone(), ..line.clone() })
}

fn find<'a>(lines: &'a [Line], sku: &str) -> Option<&'a Line> {
    lines.iter().find(|line| line.sku == sku)
}

/// The line for what is wanted on top of `before` thousandths.
fn new_line(line: usize, wanted: &Wanted, before: i64, products: &Products) -> Result<Line, ChangeCartError> {
    if !wanted.quantity.is_positive() {
        return Err(ChangeCartError::NotPositive { line });
    }
    let units = before.saturating_add(wanted.quantity.thousandths());
    if units > Quantity::MOST_ON_A_LINE {
        return Err(ChangeCartError::TooMuch { line });
    }
    let sku = wanted.sku.clone();
    match products.get(&sku) {
        None => Err(ChangeCartError::UnknownSku { line, sku }),
        Some(product) if !product.active => Err(ChangeCartError::Inactive { line, sku }),
        Some(product) => Ok(Line { sku, units, unit_price: product.price, name: product.name.clone() }),
    }
}

/// `lines` with `line` in place of the one of its SKU, or behind them.
pub(crate) fn put(lines: &[Line], line: Line) -> Result<Vec<Line>, ChangeCartError> {
    let mut lines = lines.to_vec();
    match lines.iter().position(|mine| mine.sku == line.sku) {
        Some(place) => lines[place] = line,
        None if lines.len() >= MOST_LINES => return Err(ChangeCartError::TooManyLines),
        None => lines.push(line),
    }
    Ok(lines)
}
