//! The web application's files are embedded from `webapp/dist`; before it was built there is an empty folder.

fn main() {
    println!();
    let dist = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../webapp/dist");
    if let Err(error) = std::fs::create_dir_all(&dist) {
        println!("cargo::error={} cannot be made: {error}", dist.display());
    }
    println!("cargo::rerun-if-changed=../../webapp/dist");
}
