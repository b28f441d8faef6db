fn main() {
    let args: Vec<u64> = std::env::args().skip(1).map(|a| a.parse().unwrap()).collect();
    if args.len() == 2 {
        let ending = proofkey_sim::Ground::default().play(args[0], args[1], true);
        for line in ending.story {
            println!("{line}");
        }
        return;
    }
    let start = std::time::Instant::now();
    let s = proofkey_sim::play_many(args[0], args[1], args[2], 2, proofkey_sim::Ground::default);
    println!("{}\n{:?}\n{:?}", s.tally, s.failure, start.elapsed());
}
