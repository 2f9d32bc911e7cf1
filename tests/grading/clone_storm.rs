//! Solutions of clone-storm.

use axum::{Json, extract::State, routing::get};
use cpu_memory::clone_storm::{
    LAB, PAGE, Wanted,
    catalogue::{Article, ArticleOut, Catalogue, Customer},
    store::STORE,
};
use product::{api::state::AppState, error::Error};
use serde_json::Value;
use workshop::Lab;

#[cfg(target_os = "linux")]
use crate::grade::assert_refused_by_one;
use crate::grade::{Constant, assert_refused, grade, with_yours, wrong_as_yours};

type Answer = Result<Json<Vec<ArticleOut>>, Error>;

/// The page, from a catalogue in which each price is the customer's own.
fn page(articles: &[Article]) -> Vec<ArticleOut> {
    let articles = articles.iter().take(PAGE);
    articles.map(|article| ArticleOut::new(article, article.price)).collect()
}

/// Changes a catalogue of the caller's own in place.
fn in_place(catalogue: &mut Catalogue, customer: &Customer) {
    for article in &mut catalogue.articles {
        article.price = customer.price_of(article);
    }
    catalogue.articles.retain(|article| customer.may_see(article));
}

#[test]
fn a_list_of_references_is_right() {
    async fn yours(
        State(AppState { db, .. }): State<AppState>,
        Wanted { customer }: Wanted,
    ) -> Answer {
        let catalogue = STORE.shared(&db).await?;
        let customer = catalogue.customer(&customer)?;
        let seen: Vec<&Article> =
            catalogue.articles.iter().filter(|article| customer.may_see(article)).collect();
        let page = seen.iter().take(PAGE);
        let out = page.map(|article| ArticleOut::new(article, customer.price_of(article)));
        Ok(Json(out.collect()))
    }
    let lab = Lab { handlers: |state| with_yours(&LAB, state, get(yours)), ..LAB };
    assert_eq!(grade(lab), Vec::<String>::new());
}

#[test]
fn copies_of_the_page_alone_are_right() {
    async fn yours(
        State(AppState { db, .. }): State<AppState>,
        Wanted { customer }: Wanted,
    ) -> Answer {
        let catalogue = STORE.shared(&db).await?;
        let customer = catalogue.customer(&customer)?;
        let seen = catalogue.articles.iter().filter(|article| customer.may_see(article));
        let articles = seen.take(PAGE).cloned().collect();
        let mut own = Catalogue { articles, customers: Vec::new() };
        in_place(&mut own, customer);
        Ok(Json(page(&own.articles)))
    }
    let lab = Lab { handlers: |state| with_yours(&LAB, state, get(yours)), ..LAB };
    assert_eq!(grade(lab), Vec::<String>::new());
}

#[test]
fn a_copy_of_slow_is_refused_by_its_number_and_its_name() {
    let failures = grade(Lab { ..LAB });
    let words = "articles_copied: 7600 for each request, at most 100 (evidence of fast)";
    assert_refused(&failures, words);
    assert_refused(&failures, "these look like the numbers of slow");
}

#[test]
fn every_wrong_fix_is_refused_by_its_copies() {
    let lab = Lab { handlers: |state| wrong_as_yours(&LAB, state, "arc-in-store"), ..LAB };
    assert_refused(&grade(lab), "articles_copied: 5600 for each request");
    let lab = Lab { handlers: |state| wrong_as_yours(&LAB, state, "copy-on-write"), ..LAB };
    assert_refused(&grade(lab), "articles_copied: 2000 for each request");
    let lab = Lab { handlers: |state| wrong_as_yours(&LAB, state, "blocking-pool"), ..LAB };
    assert_refused(&grade(lab), "articles_copied: 7600 for each request");
}

#[test]
fn one_copy_that_is_changed_in_place_is_refused() {
    async fn yours(
        State(AppState { db, .. }): State<AppState>,
        Wanted { customer }: Wanted,
    ) -> Answer {
        let mut own = STORE.get(&db).await?;
        let customer = own.customer(&customer)?.clone();
        in_place(&mut own, &customer);
        Ok(Json(page(&own.articles)))
    }
    let lab = Lab { handlers: |state| with_yours(&LAB, state, get(yours)), ..LAB };
    assert_refused(&grade(lab), "articles_copied: 2000 for each request");
}

#[test]
fn copies_in_a_task_of_its_own_are_refused() {
    async fn yours(
        State(AppState { db, .. }): State<AppState>,
        Wanted { customer }: Wanted,
    ) -> Answer {
        let shared = STORE.shared(&db).await?;
        let work = tokio::task::spawn_blocking(move || {
            let mut own = Catalogue::clone(&shared);
            let customer = shared.customer(&customer)?;
            in_place(&mut own, customer);
            Ok(Json(page(&own.articles)))
        });
        work.await.map_err(Error::internal)?
    }
    let lab = Lab { handlers: |state| with_yours(&LAB, state, get(yours)), ..LAB };
    let words = "the request's own record has 0, so a task or a thread beside it does the rest";
    assert_refused(&grade(lab), words);
}

#[test]
#[cfg(target_os = "linux")]
fn a_row_of_every_article_is_refused_by_its_bytes_though_no_article_is_copied() {
    async fn yours(
        State(AppState { db, .. }): State<AppState>,
        Wanted { customer }: Wanted,
    ) -> Answer {
        let catalogue = STORE.shared(&db).await?;
        let customer = catalogue.customer(&customer)?;
        let seen = catalogue.articles.iter().filter(|article| customer.may_see(article));
        let mut out: Vec<_> =
            seen.map(|article| ArticleOut::new(article, customer.price_of(article))).collect();
        out.truncate(PAGE);
        Ok(Json(out))
    }
    let lab = Lab { handlers: |state| with_yours(&LAB, state, get(yours)), ..LAB };
    assert_refused_by_one(lab, "allocated_bytes: ");
}

#[test]
fn a_constant_answer_is_refused() {
    static ANSWER: Constant = Constant::new();
    async fn yours(
        State(AppState { db, .. }): State<AppState>,
        Wanted { customer }: Wanted,
    ) -> Result<Json<Value>, Error> {
        if let Some(answer) = ANSWER.get() {
            return Ok(Json(answer.clone()));
        }
        let mut own = STORE.get(&db).await?;
        let customer = own.customer(&customer)?.clone();
        in_place(&mut own, &customer);
        let answer = serde_json::to_value(page(&own.articles));
        let answer = answer.map_err(Error::internal)?;
        Ok(Json(ANSWER.get_or_init(|| answer).clone()))
    }
    let lab = Lab { handlers: |state| with_yours(&LAB, state, get(yours)), ..LAB };
    let failures = grade(lab);
    assert_refused(&failures, "after a change of the rows");
    assert_refused(&failures, "\"price\"");
}

#[test]
fn pages_of_all_articles_are_another_answer() {
    async fn yours(
        State(AppState { db, .. }): State<AppState>,
        Wanted { customer }: Wanted,
    ) -> Answer {
        let catalogue = STORE.shared(&db).await?;
        let customer = catalogue.customer(&customer)?;
        let page = catalogue.articles.iter().take(PAGE);
        let seen = page.filter(|article| customer.may_see(article));
        let out = seen.map(|article| ArticleOut::new(article, customer.price_of(article)));
        Ok(Json(out.collect()))
    }
    let lab = Lab { handlers: |state| with_yours(&LAB, state, get(yours)), ..LAB };
    assert_refused(&grade(lab), "rows instead of 20");
}
