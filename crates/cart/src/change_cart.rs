//! Use cases: what a buyer does to a cart. Every change is made under the cart's lock and takes the price of that moment.

use std::collections::{HashMap, HashSet};

use catalog::Sellable;
use customers::Buyer;
use db::{DbError, TenantTx};
use kernel::Quantity;

use crate::{
    model::{Cart, CheckoutId, Line, MOST_LINES, MOST_UNITS},
    store::{delete_cart, lock_cart, write_cart},
};

/// Units of a SKU that a buyer wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// What.
    pub sku: String,
    /// How many.
    pub quantity: Quantity,
}

/// A cart after a change, with what the catalog said about its products on the way.
#[derive(Debug, Clone)]
pub struct Changed {
    /// The cart as stored.
    pub cart: Cart,
    /// Products by SKU; those of other lines are missing.
    pub products: HashMap<String, Sellable>,
}

impl From<Cart> for Changed {
    fn from(cart: Cart) -> Self {
        Self { cart, products: HashMap::new() }
    }
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
    #[error("line {line}: a line holds at most {} units", MOST_UNITS / 1000)]
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
    /// The database.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Adds units to what is in the cart; the whole line takes the price of now.
///
/// # Errors
/// [`ChangeCartError`].
pub async fn add_line(tx: &TenantTx, owner: Buyer, wanted: &Wanted) -> Result<Changed, ChangeCartError> {
    let mut cart = lock_open(tx, owner).await?;
    let products = look_up(tx, std::slice::from_ref(wanted)).await?;
    let before = cart.lines.iter().find(|line| line.sku == wanted.sku).map_or(0, |line| line.units);
    let line = new_line(0, wanted, before, &products)?;
    put(&mut cart, line)?;
    Ok(Changed { cart: write_cart(tx, cart).await?, products })
}

/// Sets how many units of a SKU are in the cart; the line takes the price of now.
///
/// # Errors
/// [`ChangeCartError`]; the line must be there.
pub async fn set_line(tx: &TenantTx, owner: Buyer, wanted: &Wanted) -> Result<Changed, ChangeCartError> {
    let mut cart = lock_open(tx, owner).await?;
    if !cart.lines.iter().any(|line| line.sku == wanted.sku) {
        return Err(ChangeCartError::NoSuchLine);
    }
    let products = look_up(tx, std::slice::from_ref(wanted)).await?;
    put(&mut cart, new_line(0, wanted, 0, &products)?)?;
    Ok(Changed { cart: write_cart(tx, cart).await?, products })
}

/// Takes a SKU out of the cart; one that is not there is no error.
///
/// # Errors
/// [`ChangeCartError::InCheckout`], [`ChangeCartError::Db`].
pub async fn remove_line(tx: &TenantTx, owner: Buyer, sku: &str) -> Result<Changed, ChangeCartError> {
    let mut cart = lock_open(tx, owner).await?;
    let before = cart.lines.len();
    cart.lines.retain(|line| line.sku != sku);
    if cart.lines.len() == before {
        return Ok(cart.into());
    }
    Ok(write_cart(tx, cart).await?.into())
}

/// Replaces all that is in the cart, at the prices of now.
///
/// # Errors
/// [`ChangeCartError`]; nothing is changed then.
pub async fn replace_lines(
    tx: &TenantTx,
    owner: Buyer,
    wanted: &[Wanted],
) -> Result<Changed, ChangeCartError> {
    if wanted.len() > MOST_LINES {
        return Err(ChangeCartError::TooManyLines);
    }
    let mut seen = HashSet::new();
    if let Some(line) = wanted.iter().position(|wanted| !seen.insert(&wanted.sku)) {
        return Err(ChangeCartError::Repeated { line });
    }
    let mut cart = lock_open(tx, owner).await?;
    let products = look_up(tx, wanted).await?;
    let lines = wanted.iter().enumerate().map(|(place, wanted)| new_line(place, wanted, 0, &products));
    cart.lines = lines.collect::<Result<_, _>>()?;
    Ok(Changed { cart: write_cart(tx, cart).await?, products })
}

/// Takes over today's prices and names for all that is in the cart, and takes out what is not sold any more: the buyer
/// has seen the notices and goes on.
///
/// # Errors
/// [`ChangeCartError::InCheckout`], [`ChangeCartError::Db`].
pub async fn accept_changes(tx: &TenantTx, owner: Buyer) -> Result<Changed, ChangeCartError> {
    let mut cart = lock_open(tx, owner).await?;
    let products = products_of(tx, cart.lines.iter().map(|line| line.sku.as_str())).await?;
    let before = cart.lines.clone();
    cart.lines.retain_mut(|line| match products.get(&line.sku).filter(|product| product.active) {
        Some(product) => {
            (line.unit_price, line.name) = (product.price, product.name.clone());
            true
        }
        None => false,
    });
    if cart.lines != before {
        cart = write_cart(tx, cart).await?;
    }
    Ok(Changed { cart, products })
}

/// Empties the cart.
///
/// # Errors
/// [`ChangeCartError::InCheckout`], [`ChangeCartError::Db`].
pub async fn clear_cart(tx: &TenantTx, owner: Buyer) -> Result<(), ChangeCartError> {
    lock_open(tx, owner).await?;
    Ok(delete_cart(tx, owner).await?)
}

/// Puts what is in the cart of `from` into that of `to`, and removes it: a guest has signed in, or two customers were
/// one. Of a SKU that is in both the larger quantity stays, as it is most likely the same wish twice; what does not fit
/// is left out, the newest first. A cart that is being checked out stays where it is.
///
/// # Errors
/// [`DbError`].
pub async fn merge_carts(tx: &TenantTx, from: Buyer, to: Buyer) -> Result<(), DbError> {
    // In the order in which everybody locks carts.
    let rows = tx.run(crate::store::lock_carts_stmt(tx.ctx(), &[from, to])).await?;
    let mut carts = crate::store::decode_carts(&rows)?;
    let Some(place) = carts.iter().position(|cart| cart.owner == from) else { return Ok(()) };
    let source = carts.swap_remove(place);
    let mut target = carts.pop().unwrap_or_else(|| Cart::empty(to));
    if source.checkout.is_some() || target.checkout.is_some() {
        return Ok(());
    }
    for line in source.lines {
        let twice = target.lines.iter().any(|mine| mine.sku == line.sku && mine.units >= line.units);
        if !twice {
            let _full = put(&mut target, line);
        }
    }
    write_cart(tx, target).await?;
    delete_cart(tx, from).await
}

async fn lock_open(tx: &TenantTx, owner: Buyer) -> Result<Cart, ChangeCartError> {
    let cart = lock_cart(tx, owner).await?;
    cart.checkout.map_or(Ok(cart), |checkout| Err(ChangeCartError::InCheckout(checkout)))
}

async fn look_up(tx: &TenantTx, wanted: &[Wanted]) -> Result<HashMap<String, Sellable>, DbError> {
    products_of(tx, wanted.iter().map(|wanted| wanted.sku.as_str())).await
}

/// What the catalog says today about `skus`, as far as it knows them.
pub(crate) async fn products_of<'a>(
    tx: &TenantTx,
    skus: impl Iterator<Item = &'a str>,
) -> Result<HashMap<String, Sellable>, DbError> {
    let skus: Vec<&str> = skus.collect();
    if skus.is_empty() {
        return Ok(HashMap::new());
    }
    let found = catalog::decode_sellable(&tx.run(catalog::sellable_stmt(tx.ctx(), &skus)).await?)?;
    Ok(found.into_iter().map(|product| (product.sku.clone(), product)).collect())
}

/// The line for what is wanted on top of `before` thousandths.
fn new_line(
    line: usize,
    wanted: &Wanted,
    before: i64,
    products: &HashMap<String, Sellable>,
) -> Result<Line, ChangeCartError> {
    if !wanted.quantity.is_positive() {
        return Err(ChangeCartError::NotPositive { line });
    }
    let units = before.saturating_add(wanted.quantity.thousandths());
    if units > MOST_UNITS {
        return Err(ChangeCartError::TooMuch { line });
    }
    let sku = wanted.sku.clone();
    match products.get(&sku) {
        None => Err(ChangeCartError::UnknownSku { line, sku }),
        Some(product) if !product.active => Err(ChangeCartError::Inactive { line, sku }),
        Some(product) => Ok(Line { sku, units, unit_price: product.price, name: product.name.clone() }),
    }
}

fn put(cart: &mut Cart, line: Line) -> Result<(), ChangeCartError> {
    match cart.lines.iter().position(|mine| mine.sku == line.sku) {
        Some(place) => cart.lines[place] = line,
        None if cart.lines.len() >= MOST_LINES => return Err(ChangeCartError::TooManyLines),
        None => cart.lines.push(line),
    }
    Ok(())
}
