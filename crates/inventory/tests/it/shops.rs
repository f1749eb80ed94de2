//! Shops.

use inventory::{CreateShop, CreateShopError, ShopKind, UpdateShop, UpdateShopError};

use crate::fixture::Fixture;

fn named(name: &str) -> CreateShop {
    CreateShop { name: name.to_owned(), ..CreateShop::default() }
}

// INV-1
#[tokio::test]
async fn shops_get_the_next_code_and_a_taken_code_is_refused() {
    let fixture = Fixture::new().await;
    let tx = fixture.begin().await;
    assert_eq!(inventory::create_shop(&tx, named("Third")).await.unwrap().code, "S03");
    let given = CreateShop { code: Some("S99".to_owned()), ..named("Far away") };
    inventory::create_shop(&tx, given.clone()).await.unwrap();
    assert_eq!(inventory::create_shop(&tx, named("Hundredth")).await.unwrap().code, "S100");
    let refused = inventory::create_shop(&tx, given).await;
    assert!(matches!(refused, Err(CreateShopError::CodeTaken(_))), "{refused:?}");
    tx.commit().await.unwrap();
}

// INV-1
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn shops_opened_at_the_same_time_get_different_codes_without_gaps() {
    let fixture = std::sync::Arc::new(Fixture::new().await);
    let opened = (0..16).map(|number| {
        let fixture = fixture.clone();
        tokio::spawn(async move {
            let tx = fixture.begin().await;
            if number % 2 == 0 {
                inventory::create_shop(&tx, named("A shop")).await.unwrap();
            } else {
                inventory::ensure_shops(&tx, &["Same Street", &format!("Street {number}")]).await.unwrap();
            }
            tx.commit().await.unwrap();
        })
    });
    for shop in opened.collect::<Vec<_>>() {
        shop.await.unwrap();
    }
    let tx = fixture.begin().await;
    let codes: Vec<String> =
        inventory::list_shops(&tx, None, 200).await.unwrap().into_iter().map(|shop| shop.code).collect();
    let expected: Vec<String> = (1..=2 + 8 + 8 + 1).map(|number| format!("S{number:02}")).collect();
    assert_eq!(codes, expected);
}

// SAL-11
#[tokio::test]
async fn imports_find_shops_by_code_or_name_and_create_each_unknown_one_once() {
    let fixture = Fixture::new().await;
    let tx = fixture.begin().await;
    let names = ["S02", "292", "Main Street", "S07", "Old Town", "", " ", "a\nb"];
    let shops = inventory::ensure_shops(&tx, &names).await.unwrap();
    assert_eq!(shops.len(), 5);
    assert_eq!(shops["S02"], fixture.shops[1]);
    assert_eq!(inventory::ensure_shops(&tx, &names).await.unwrap(), shops);
    let by_id = async |name: &str| inventory::find_shop(&tx, shops[name]).await.unwrap().unwrap();
    assert_eq!(by_id("292").await.code, "292");
    assert_eq!((by_id("Main Street").await.code, by_id("Old Town").await.code), ("S08".into(), "S09".into()));
    tx.commit().await.unwrap();
}

// HTTP-7
#[tokio::test]
async fn a_shop_is_changed_only_from_the_version_that_was_read() {
    let fixture = Fixture::new().await;
    let [id, _] = fixture.shops;
    let tx = fixture.begin().await;
    let change = |if_version| UpdateShop {
        name: "Corner".to_owned(),
        kind: ShopKind::Web,
        address: "1 High Street".to_owned(),
        active: false,
        if_version,
    };
    let changed = inventory::update_shop(&tx, id, change(Some(1))).await.unwrap();
    assert_eq!((changed.version, changed.kind, changed.active), (2, ShopKind::Web, false));
    let refused = inventory::update_shop(&tx, id, change(Some(1))).await;
    assert!(matches!(refused, Err(UpdateShopError::Changed(2))), "{refused:?}");
    assert_eq!(inventory::update_shop(&tx, id, change(None)).await.unwrap().version, 3);
    let refused = inventory::update_shop(&tx, inventory::ShopId::new(), change(None)).await;
    assert!(matches!(refused, Err(UpdateShopError::NotFound)), "{refused:?}");
}
