//! The seeds of the fuzz targets, among them every input that once broke a
//! promise.

use std::fs;
use std::path::Path;

#[test]
fn every_seed_keeps_the_promises() {
    for (name, check) in imds_fuzz::TARGETS {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(name);
        let seeds = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let mut count = 0;
        for seed in seeds {
            let path = seed.expect("a folder can be listed").path();
            println!("{}", path.display());
            check(&fs::read(&path).expect("a seed can be read"));
            count += 1;
        }
        assert!(count > 0, "{} has no seed", folder.display());
    }
}
