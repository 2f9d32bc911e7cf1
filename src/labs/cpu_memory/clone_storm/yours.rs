//! Yours: starts as slow does. Edit and save it; `chokepoint watch clone-storm` grades it.
#![allow(clippy::all, reason = "a lint would name the bottleneck")]

use axum::{Json, extract::State};

use super::{
    PAGE, Wanted,
    catalogue::{ArticleOut, Catalogue, Customer},
    store::STORE,
};
use product::{api::state::AppState, error::Error};

pub async fn handler(
    State(AppState { db, .. }): State<AppState>,
    Wanted { customer }: Wanted,
) -> Result<Json<Vec<ArticleOut>>, Error> {
    let catalogue = STORE.get(&db).await?;
    let customer = catalogue.customer(&customer)?;
    let priced = priced(&catalogue, customer);
    let permitted = permitted(&priced, customer);
    Ok(Json(page(&permitted)))
}

/// Lays the customer's own prices over those of the list.
fn priced(catalogue: &Catalogue, customer: &Customer) -> Catalogue {
    let mut priced = catalogue.clone();
    for article in &mut priced.articles {
        article.price = customer.price_of(article);
    }
    priced
}

/// Leaves out what the customer may not see.
fn permitted(catalogue: &Catalogue, customer: &Customer) -> Catalogue {
    let mut permitted = catalogue.clone();
    permitted.articles.retain(|article| customer.may_see(article));
    permitted
}

/// Presents a page.
fn page(catalogue: &Catalogue) -> Vec<ArticleOut> {
    let articles = catalogue.articles.clone().into_iter().take(PAGE);
    articles.map(|article| ArticleOut::new(&article, article.price)).collect()
}
