//! Merchants that share a database.

use inventory::{ChangeStockError, CloseReservationError, MovementFilter, Restock};

use crate::fixture::{BREAD, Fixture};

// PLT-2
#[tokio::test]
async fn another_tenant_sees_and_touches_nothing() {
    let acme = Fixture::new().await;
    let other = acme.neighbour("other").await;
    acme.restock(0, BREAD, 5).await;
    let held = acme.reserve(vec![acme.hold_line(0, BREAD, 1)], 900).await.unwrap();
    let tx = other.begin().await;
    assert_eq!(inventory::list_movements(&tx, &MovementFilter::default(), None, 10).await.unwrap(), []);
    assert_eq!(inventory::list_levels(&tx, BREAD, None, 10).await.unwrap(), []);
    assert_eq!(inventory::find_shop(&tx, acme.shops[0]).await.unwrap(), None);
    assert_eq!(inventory::find_reservation(&tx, held).await.unwrap(), None);
    let lines = vec![acme.line(0, BREAD, 1)];
    let refused = inventory::restock(&tx, Restock { lines, note: None }).await;
    assert!(matches!(refused, Err(ChangeStockError::Unknown(_))), "{refused:?}");
    drop(tx);
    for refused in [other.confirm(held).await, other.release(held).await] {
        assert!(matches!(refused, Err(CloseReservationError::NotFound)), "{refused:?}");
    }
    assert_eq!(other.later(9000).expire().await, 0);
    assert_eq!(acme.on_hand_and_reserved(0, BREAD).await, (5, 1));
}

// PLT-2
#[tokio::test]
async fn the_application_role_without_a_tenant_sees_nothing() {
    let fixture = Fixture::new().await;
    fixture.restock(0, BREAD, 5).await;
    fixture.reserve(vec![fixture.hold_line(0, BREAD, 1)], 900).await.unwrap();
    let client = fixture.databases.as_app().await.unwrap();
    for table in ["shop", "stock", "movement", "reservation", "reservation_line"] {
        let sql = format!("select count(*) from inventory.{table}");
        let rows: i64 = client.query_one(&sql, &[]).await.unwrap().get(0);
        assert_eq!(rows, 0, "{table}");
    }
}
