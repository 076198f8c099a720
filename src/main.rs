//! x
#![allow(
    clippy::all,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used
)]
use finnp::*;
fn main() {
    let mut args = std::env::args().skip(1);
    let path = args.next().unwrap();
    let grid = args.next().map(|g| {
        let (t, s) = g.split_once(':').unwrap();
        pass::Grid {
            element: t.parse().unwrap(),
            coding: network::Coding::scaled(tensor::PerChannel::Same(s.parse().unwrap())),
        }
    });
    let bytes = std::fs::read(path).unwrap();
    let t = std::time::Instant::now();
    let net = qonnx::import(&bytes).unwrap_or_else(|e| {
        eprintln!("{}", error::render(&e, false));
        std::process::exit(2)
    });
    let t1 = t.elapsed();
    let df = pass::streamline(&net, grid.as_ref(), false).unwrap_or_else(|e| {
        eprintln!("{}", error::render(&e, false));
        std::process::exit(2)
    });
    let df = pass::fuse(df).unwrap();
    eprintln!("{t1:?} {:?}", t.elapsed());
    for n in &df.nodes {
        println!("{} {:?}", n.name, n.layer);
    }
    println!(
        "{}",
        serde_json::to_string(&df)
            .unwrap()
            .chars()
            .take(3000)
            .collect::<String>()
    );
}
