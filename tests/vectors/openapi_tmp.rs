use ringgate_core::import::*;
#[test]
fn show() {
    let f = std::env::var("SHOW").unwrap();
    let t = std::fs::read_to_string(&f).unwrap();
    let start = std::time::Instant::now();
    let i = import(&t, &Options{kind: ApiKind::Rest, ..Options::default()});
    let mut d = i.diagnostics;
    if let Some(api) = &i.api { d.extend(lint(api)); }
    eprintln!("took {:?}", start.elapsed());
    println!("{}", render(&d, f.rsplit('/').next().unwrap(), Format::Human));
}
