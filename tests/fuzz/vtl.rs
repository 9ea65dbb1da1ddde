//! Fuzz target of the template language.

use ringgate_core::mapping::template::{Overrides, Renderer, Sample, Template};
use ringgate_core::vtl::{Coverage, Dialect, Document, Machine, compile};
use serde_json::json;

/// Whatever the bytes are: compiling and running neither panics nor hangs, an error has a place in the template, and a
/// machine that was used gives what a new one gives. The first line is the message's body, the rest the template.
pub fn target(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (body, template) = text.split_once('\n').unwrap_or(("", &text));
    velocity(template);
    let sample = Sample {
        body: body.as_bytes().to_vec(),
        path: vec![("id".to_owned(), "7".to_owned())],
        query: "a=1&b=%20&a=2".to_owned(),
        headers: vec![("H".to_owned(), "v".to_owned())],
        context: vec![("stage".to_owned(), "dev".to_owned())],
        stage_variables: vec![("s".to_owned(), "t".to_owned())],
    };
    let compiled = match Template::compile(template, &sample) {
        Ok(compiled) => compiled,
        Err(error) => return assert!(error.place.line > 0, "{error}"),
    };
    compiled.shape();
    let render = |renderer: &mut Renderer| {
        let (mut overrides, mut out) = (Overrides::default(), Vec::new());
        let result = renderer.render(&compiled, &sample, &mut overrides, &mut out);
        (result, overrides, out)
    };
    let mut renderer = Renderer::new();
    let first = render(&mut renderer);
    assert_eq!(render(&mut renderer), first);
}

fn velocity(template: &str) {
    let context = json!({"s": "text", "n": 7, "d": 2.5, "list": ["a", 1, null], "map": {"k": "v", "l": [1, 2]}});
    let document = Document::new(&context);
    if let Ok(program) = compile(template, Dialect::Velocity, Coverage::Counted, &mut &document) {
        let mut out = Vec::new();
        // A run that is stopped is one of the answers.
        let _ = Machine::new().run(&program, &mut &document, &mut out);
    }
}
