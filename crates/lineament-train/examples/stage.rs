//! Runs one stage (development).
use std::sync::atomic::AtomicBool;
fn main() {
    tracing_subscriber::fmt().init();
    let a: Vec<String> = std::env::args().collect();
    let stop = AtomicBool::new(false);
    let recipe = lineament_train::Recipe::open(a[1].as_ref()).unwrap();
    let o = lineament_train::TrainOptions {
        recipe,
        data: vec!["../shared/data".into()],
        output: a[2].clone().into(),
        resume: true,
        stage: Some(a[3].clone()),
        progress: false,
        stop: &stop,
        step_limit: a.get(4).and_then(|s| s.parse().ok()),
    };
    println!("{:?}", lineament_train::train(&o));
}
