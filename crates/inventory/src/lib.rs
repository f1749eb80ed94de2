//! Shops, stock and the one capacity primitive: hold, confirm, release, expire.
#![doc = include_str!("../README.md")]

mod adjust_stock;
mod change_stock;
mod check_stock;
mod close_reservations;
mod confirm_stock;
mod count_stock;
mod create_shop;
mod ensure_shops;
pub mod events;
mod expire_reservations;
mod find_levels;
mod find_shops;
mod hold_many;
mod hold_stock;
mod http;
mod import_stock;
mod jobs;
mod list_levels;
mod list_movements;
mod list_shops;
mod model;
mod post_movements;
pub mod problems;
mod release_stock;
mod reservation;
mod reserve_batch;
mod reserve_stock;
mod restock;
mod set_thresholds;
mod shop;
mod sold_movements;
mod targets;
mod transfer_stock;
mod units;
mod update_shop;

pub use adjust_stock::{AdjustReason, AdjustStock, adjust_stock};
pub use change_stock::{ChangeStockError, Shortage};
pub use check_stock::{invariants, list_open};
pub use close_reservations::{
    ClosedLine, Ending, close_reservations, close_reservations_stmt, decode_closed, sell_reservations_stmt,
};
pub use confirm_stock::{CloseReservationError, confirm_stock};
pub use count_stock::{CountStock, count_stock};
pub use create_shop::{CreateShop, CreateShopError, create_shop};
pub use ensure_shops::{ensure_shops, is_shop_name};
pub use events::low_stock_alerts;
pub use expire_reservations::expire_reservations;
pub use find_levels::{decode_levels, levels_stmt};
pub use find_shops::{decode_shops, find_shop, find_shops, find_shops_stmt, find_web_shop};
pub use hold_many::{Holding, hold_many};
pub use hold_stock::{Held, Hold, HoldLine, decode_held, hold_stmt, hold_stock};
pub use http::{Inventory, InventoryConfig, routes};
pub use import_stock::{ImportStockError, STOCK_COLUMNS, StockImport, import_stock};
pub use jobs::{consumers, expire_due, jobs};
pub use list_levels::{ShopLevel, list_levels};
pub use list_movements::{MovementFilter, PostedMovement, list_movements};
pub use list_shops::list_shops;
pub use model::{Applied, Guard, Level, Movement, MovementId, Reason, ReservationId, ShopId, TransferId};
pub use post_movements::{decode_applied, post_movements, post_movements_stmt};
pub use release_stock::release_stock;
pub use reservation::{Reservation, ReservationLine, ReservationState, find_reservation};
pub use reserve_batch::{HoldAnswer, HoldBatch, HoldRequest};
pub use reserve_stock::{DEFAULT_HOLD, LONGEST_HOLD, ReserveStock, ReserveStockError, reserve_stock};
pub use restock::{Restock, StockLine, restock};
pub use set_thresholds::{Threshold, set_thresholds};
pub use shop::{Shop, ShopKind, is_shop_code};
pub use sold_movements::sold_movements;
pub use targets::{Target, UnknownTarget};
pub use transfer_stock::{TransferStock, transfer_stock};
pub use units::Units;
pub use update_shop::{UpdateShop, UpdateShopError, update_shop};

/// The tables of this domain.
pub const MIGRATIONS: db::DomainMigrations = db::DomainMigrations {
    domain: "inventory",
    steps: &[
        db::Migration {
            version: 1,
            name: "inventory",
            sql: include_str!("../migrations/0001_inventory.sql"),
        },
        db::Migration { version: 2, name: "rows", sql: include_str!("../migrations/0002_rows.sql") },
        db::Migration { version: 3, name: "sold", sql: include_str!("../migrations/0003_sold.sql") },
        db::Migration { version: 4, name: "lines", sql: include_str!("../migrations/0004_lines.sql") },
    ],
};
