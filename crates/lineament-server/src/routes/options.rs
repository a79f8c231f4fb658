//! The options of a request for photos: those of the address, and those that a form has beside its photos.

use std::error::Error;

use axum::extract::{Query, Request};
use axum::http::Uri;
use serde::de::DeserializeOwned;

use crate::problem::Problem;
use crate::service::Service;
use crate::upload::Upload;

/// The options and the photos of a request. What is wrong with the address is said before the body is waited for.
pub async fn read<T: DeserializeOwned>(service: &Service, request: Request) -> Result<(T, Upload), Problem> {
    let address = request.uri().clone();
    let options = parsed(&address)?;
    let upload = service.take(request).await?;
    if upload.options.is_empty() {
        return Ok((options, upload));
    }
    let options = parsed(&with(address.query().unwrap_or_default(), &upload.options)?)?;
    Ok((options, upload))
}

fn parsed<T: DeserializeOwned>(address: &Uri) -> Result<T, Problem> {
    Query::try_from_uri(address).map(|Query(options)| options).map_err(|rejection| {
        let reason = rejection.source().map_or_else(|| rejection.body_text(), ToString::to_string);
        Problem::bad_request(format!(
            "the options cannot be understood: {reason}; /docs says what may be asked (in a form, text without a file name \
             is an option)"
        ))
    })
}

/// An address whose query has the options of a form too, so that both mean the same and are checked alike.
fn with(query: &str, form: &[(String, String)]) -> Result<Uri, Problem> {
    let mut options: Vec<_> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    for (name, value) in form {
        match options.iter().find(|(known, _)| known == name) {
            Some((_, same)) if same == value => {}
            Some((_, other)) => {
                return Err(Problem::bad_request(format!(
                    "{name} is given twice, as {other} and as {value}; give it once, in the address or in the form"
                )));
            }
            None => options.push((name.clone(), value.clone())),
        }
    }
    let query = form_urlencoded::Serializer::for_suffix("/?".to_owned(), 2).extend_pairs(options).finish();
    query.parse().map_err(|_| Problem::bad_request("the options are too long; give shorter ones"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn with_form(query: &str, form: &[(&str, &str)]) -> Result<String, Problem> {
        let form: Vec<_> = form.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        with(query, &form).map(|address| address.to_string())
    }

    #[test]
    fn options_of_a_form_join_those_of_the_address() {
        let joined = with_form(
            "map=none",
            &[("attributes", "5 o'Clock,Bald"), ("smallest_face", "2.5%"), ("map", "none")],
        );
        assert_eq!(joined.unwrap(), "/?map=none&attributes=5+o%27Clock%2CBald&smallest_face=2.5%25");
    }

    #[test]
    fn what_is_given_twice_and_differs_is_refused_by_name() {
        for (query, form) in [
            ("threshold=0.5", &[("threshold", "0.7")][..]),
            ("", &[("threshold", "0.5"), ("threshold", "0.7")]),
        ] {
            let refused = with_form(query, form).unwrap_err().detail;
            assert!(refused.starts_with("threshold is given twice, as 0.5 and as 0.7"), "{refused}");
        }
    }
}
