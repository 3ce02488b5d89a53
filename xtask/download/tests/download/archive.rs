//! An archive like Zonky's, a jar with a `.txz` in it, with the installed PostgreSQL.
//!
//! Debian's programs find their shared files at the paths that were compiled in, and their libraries beside themselves.

use std::{
    fs,
    io::{Cursor, Write as _},
    path::{Path, PathBuf},
};

use duct::cmd;
use liblzma::write::XzEncoder;
use tar::{Builder, Header};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

/// Where Debian installs each major version.
pub(crate) const INSTALLED: &str = "/usr/lib/postgresql";

/// An installed PostgreSQL that is among the downloads.
pub(crate) fn installed() -> (u32, PathBuf) {
    let majors = fs::read_dir(INSTALLED).into_iter().flatten().flatten();
    let majors = majors.filter_map(|it| it.file_name().to_str()?.parse().ok());
    let works = |major: &u32| {
        let postgres = format!("{INSTALLED}/{major}/bin/postgres");
        (15..=18).contains(major) && cmd!(postgres, "--version").stdout_null().run().is_ok()
    };
    let newest = majors.filter(works).max();
    let newest = newest.expect("archives are made of Debian's PostgreSQL: sudo apt-get install postgresql");
    (newest, Path::new(INSTALLED).join(newest.to_string()))
}

/// A working archive.
pub(crate) fn real() -> Vec<u8> {
    let (_, folder) = installed();
    let mut files = vec![];
    for program in ["postgres", "initdb"] {
        files.push((format!("bin/{program}"), fs::read(folder.join("bin").join(program)).unwrap()));
    }
    for library in fs::read_dir(folder.join("lib")).unwrap() {
        let path = library.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if name.ends_with(".so") && !name.starts_with("llvm") {
            files.push((format!("lib/{name}"), fs::read(&path).unwrap()));
        }
    }
    jar(files)
}

/// An archive for another kind of machine.
pub(crate) fn foreign() -> Vec<u8> {
    jar(vec![("bin/postgres".into(), b"\x7fELF for another".to_vec()), ("bin/initdb".into(), vec![])])
}

fn jar(files: Vec<(String, Vec<u8>)>) -> Vec<u8> {
    let mut tar = Builder::new(XzEncoder::new(Vec::new(), 0));
    for (path, bytes) in files {
        let mut header = Header::new_gnu();
        header.set_mode(0o755);
        header.set_size(bytes.len() as u64);
        tar.append_data(&mut header, format!("./{path}"), bytes.as_slice()).unwrap();
    }
    let txz = tar.into_inner().unwrap().finish().unwrap();
    let mut jar = ZipWriter::new(Cursor::new(Vec::new()));
    let deflated = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    jar.start_file("postgres-linux-x86_64.txz", deflated).unwrap();
    jar.write_all(&txz).unwrap();
    jar.finish().unwrap().into_inner()
}
