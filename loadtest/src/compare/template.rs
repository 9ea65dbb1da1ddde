//! Configuration files with holes: `{{name}}` becomes a value.

/// Fills every hole, or names the one for which there is no value.
pub fn fill(template: &str, values: &[(&str, String)]) -> Result<String, String> {
    let mut text = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, after) = after.split_once("}}").ok_or_else(|| "a `{{` without `}}`".to_owned())?;
        let value = values.iter().find(|(known, _)| *known == name);
        let (_, value) = value.ok_or_else(|| format!("there is no value for `{name}`"))?;
        text += before;
        text += value;
        rest = after;
    }
    Ok(text + rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_are_filled_and_unknown_ones_refused() {
        let values = [("a", "1".to_owned()), ("b", "two".to_owned())];
        assert_eq!(fill("x {{a}} { {{b}}{{a}} }", &values).as_deref(), Ok("x 1 { two1 }"));
        assert!(fill("{{c}}", &values).is_err());
        assert!(fill("{{a", &values).is_err());
    }
}
