//! The fixes that people try first: fewer copies, or the same ones somewhere else.

use std::sync::Arc;

use axum::{Json, extract::State};
use observe::task::spawn_blocking;

use super::{
    PAGE, Wanted,
    catalogue::{ArticleOut, Catalogue, Customer},
    store::STORE,
};
use product::{api::state::AppState, error::Error};

/// Shares the catalogue in the store. The layers take their own all the same, and so they clone.
pub async fn arc_in_store(
    State(AppState { db, .. }): State<AppState>,
    Wanted { customer }: Wanted,
) -> Result<Json<Vec<ArticleOut>>, Error> {
    let catalogue = STORE.shared(&db).await?;
    Ok(Json(through_the_layers(&catalogue, &customer)?))
}

/// Hands an `Arc` from layer to layer, to copy only when one writes. The first one writes, and the
/// store holds the catalogue as well, so that all of it is copied.
pub async fn copy_on_write(
    State(AppState { db, .. }): State<AppState>,
    Wanted { customer }: Wanted,
) -> Result<Json<Vec<ArticleOut>>, Error> {
    let shared = STORE.shared(&db).await?;
    let customer = shared.customer(&customer)?;
    let mut catalogue = shared.clone();
    for article in &mut Arc::make_mut(&mut catalogue).articles {
        article.price = customer.price_of(article);
    }
    Arc::make_mut(&mut catalogue).articles.retain(|article| customer.may_see(article));
    Ok(Json(page(&catalogue)))
}

/// Copies on the blocking pool: the worker is free meanwhile, and the bytes are as many.
pub async fn on_the_blocking_pool(
    State(AppState { db, .. }): State<AppState>,
    Wanted { customer }: Wanted,
) -> Result<Json<Vec<ArticleOut>>, Error> {
    let shared = STORE.shared(&db).await?;
    let work = spawn_blocking(move || {
        let catalogue = Catalogue::clone(&shared);
        through_the_layers(&catalogue, &customer)
    });
    Ok(Json(work.await.map_err(Error::internal)??))
}

/// The layers of slow.
fn through_the_layers(catalogue: &Catalogue, customer: &str) -> Result<Vec<ArticleOut>, Error> {
    let customer = catalogue.customer(customer)?;
    let mut priced = catalogue.clone();
    for article in &mut priced.articles {
        article.price = customer.price_of(article);
    }
    let permitted = permitted(&priced, customer);
    Ok(page(&permitted.clone()))
}

fn permitted(catalogue: &Catalogue, customer: &Customer) -> Catalogue {
    let mut permitted = catalogue.clone();
    permitted.articles.retain(|article| customer.may_see(article));
    permitted
}

fn page(catalogue: &Catalogue) -> Vec<ArticleOut> {
    let articles = catalogue.articles.iter().take(PAGE);
    articles.map(|article| ArticleOut::new(article, article.price)).collect()
}
