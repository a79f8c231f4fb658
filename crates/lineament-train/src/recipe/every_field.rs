//! A walk over all fields of a recipe, to test that each is checked. Shared with the crate that adds recipes of baselines.

/// Values that no field of a type may have, whatever it means.
fn absurd(value: &toml::Value) -> Vec<toml::Value> {
    match value {
        toml::Value::Float(_) => {
            [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1e31, 1e31].map(toml::Value::Float).to_vec()
        }
        toml::Value::Integer(_) => [i64::MIN, -1, i64::MAX].map(toml::Value::Integer).to_vec(),
        toml::Value::String(_) => vec![toml::Value::String("\u{1b}[2J".to_owned())],
        _ => Vec::new(),
    }
}

/// All places of a value at which a number or a text stands, as the keys and numbers that lead there.
fn leaves(value: &toml::Value, at: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
    match value {
        toml::Value::Table(table) => {
            for (key, value) in table {
                at.push(key.clone());
                leaves(value, at, found);
                at.pop();
            }
        }
        toml::Value::Array(list) => {
            for (index, value) in list.iter().enumerate() {
                at.push(index.to_string());
                leaves(value, at, found);
                at.pop();
            }
        }
        _ => found.push(at.clone()),
    }
}

fn reach<'a>(value: &'a mut toml::Value, at: &[String]) -> &'a mut toml::Value {
    at.iter().fold(value, |value, key| match value {
        toml::Value::Array(list) => &mut list[key.parse::<usize>().unwrap()],
        table => table.get_mut(key).unwrap(),
    })
}

/// Puts absurd values into every field of a recipe, one at a time. Each must be refused by a message that names the field; of a net, which
/// `lineament-net` checks, the message must name the net, and only what is no size at all is tried.
pub fn every_field_is_checked(text: &str, parse: &dyn Fn(&str) -> Result<(), String>) {
    parse(text).unwrap();
    let whole: toml::Value = toml::from_str(text).unwrap();
    let mut found = Vec::new();
    leaves(&whole, &mut Vec::new(), &mut found);
    assert!(found.len() > 8, "{found:?}");
    for at in found {
        // Any seed is good.
        if at == ["seed"] {
            continue;
        }
        let field = at.iter().rev().find(|key| key.parse::<usize>().is_err()).unwrap();
        let net = at.iter().position(|key| ["nets", "net"].contains(&key.as_str()));
        let mut other = whole.clone();
        for absurd in absurd(reach(&mut other, &at)) {
            let no_size = matches!(absurd, toml::Value::Integer(i64::MIN..0) | toml::Value::String(_));
            if net.is_some() && !no_size {
                continue;
            }
            *reach(&mut other, &at) = absurd.clone();
            let changed = toml::to_string(&other).unwrap();
            let place = at.join(".");
            let Err(refused) = parse(&changed) else { panic!("{place} = {absurd} passes") };
            let named = refused.contains(field.as_str()) || net.is_some_and(|net| refused.contains(&at[net]));
            assert!(named, "{place} = {absurd}: {refused}");
        }
    }
}
