//! What is written, and what is left alone.

use super::target::directory_of;
use super::*;
use std::fs::{self, File};

fn names_in(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[test]
fn the_target_holds_what_was_written() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.bin");
    write_atomically(&path, |w| w.write_all(b"first")).unwrap();
    write_atomically(&path, |w| w.write_all(b"2nd")).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"2nd");
    assert_eq!(names_in(directory.path()), ["a.bin"]);
}

#[test]
fn a_failing_write_leaves_neither_target_nor_temporary() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.bin");
    let error = write_atomically(&path, |w| {
        w.write_all(&[7; 100_000])?; // more than a buffer, so the temporary file is not empty
        assert_eq!(
            names_in(directory.path()).len(),
            1,
            "the temporary file lies beside it"
        );
        Err(io::Error::other("out of ideas"))
    })
    .unwrap_err();
    assert_eq!(names_in(directory.path()), [""; 0]);
    assert_eq!(error.path, path);
    assert_eq!(
        error.to_string(),
        format!("{}: cannot be written: out of ideas", path.display())
    );
}

#[test]
fn an_existing_target_survives_a_failed_write() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.bin");
    fs::write(&path, b"precious").unwrap();
    write_atomically(&path, |w| {
        w.write_all(b"half")?;
        Err(io::Error::other("stop"))
    })
    .unwrap_err();
    assert_eq!(fs::read(&path).unwrap(), b"precious");
    assert_eq!(names_in(directory.path()), ["a.bin"]);
}

#[test]
fn a_panicking_write_leaves_nothing_either() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.bin");
    let result = std::panic::catch_unwind(|| {
        write_atomically(&path, |_| {
            std::panic::resume_unwind(Box::new("interrupted"))
        })
    });
    assert!(result.is_err());
    assert_eq!(names_in(directory.path()), [""; 0]);
}

#[test]
fn a_missing_directory_is_an_error_naming_the_target() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("none/a.bin");
    let error = write_atomically(&path, |_| Ok(())).unwrap_err();
    assert_eq!(error.source.kind(), io::ErrorKind::NotFound);
    assert_eq!(error.path, path);
}

#[cfg(unix)]
#[test]
fn others_may_read_the_result_as_with_file_create() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode();
    let (ours, plain) = (
        directory.path().join("ours"),
        directory.path().join("plain"),
    );
    write_atomically(&ours, |_| Ok(())).unwrap();
    File::create(&plain).unwrap();
    assert_eq!(mode(&ours), mode(&plain));
}

#[test]
fn a_bare_name_lies_in_the_current_directory() {
    assert_eq!(directory_of(Path::new("a.bin")), Path::new("."));
    assert_eq!(directory_of(Path::new("d/a.bin")), Path::new("d"));
}

#[test]
fn a_path_with_a_line_break_is_shown_on_one_line() {
    assert_eq!(
        one_line(Path::new("a\nb\t\u{1b}é")).to_string(),
        "a\\nb\\t\\u{1b}é"
    );
}

#[cfg(unix)]
mod unix {
    use super::*;
    use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
    use std::process::Command;

    fn put(path: &Path, bytes: &[u8]) -> Result<(), WriteError> {
        write_atomically(path, |w| w.write_all(bytes))
    }

    #[test]
    fn a_file_keeps_its_mode() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.bin");
        fs::write(&path, b"old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        put(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o640);
    }

    #[test]
    fn links_are_followed_and_stay() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        fs::create_dir(at("far")).unwrap();
        fs::write(at("far/a.bin"), b"old").unwrap();
        symlink("far/a.bin", at("once")).unwrap();
        symlink(at("once"), at("twice")).unwrap();
        symlink("far/none.bin", at("dangling")).unwrap();
        for (link, file) in [("twice", "far/a.bin"), ("dangling", "far/none.bin")] {
            check_writable(&at(link)).unwrap();
            put(&at(link), b"new").unwrap();
            assert_eq!(fs::read(at(file)).unwrap(), b"new");
            assert!(fs::symlink_metadata(at(link)).unwrap().is_symlink());
        }
        symlink("round", at("round")).unwrap();
        assert!(put(&at("round"), b"x").is_err());
        symlink("nowhere/a.bin", at("lost")).unwrap();
        let error = check_writable(&at("lost")).unwrap_err().to_string();
        assert!(error.ends_with("nowhere: no such directory"), "{error}");
    }

    #[test]
    fn a_pipe_stays_a_pipe() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("pipe");
        assert!(
            Command::new("mkfifo")
                .arg(&path)
                .status()
                .unwrap()
                .success()
        );
        check_writable(&path).unwrap();
        let reader = std::thread::spawn({
            let path = path.clone();
            move || fs::read(path).unwrap()
        });
        put(&path, &[5; 100_000]).unwrap();
        assert_eq!(reader.join().unwrap(), [5; 100_000]);
        assert!(fs::metadata(&path).unwrap().file_type().is_fifo());
        put(Path::new("/dev/null"), b"gone").unwrap();
        let null = fs::symlink_metadata("/dev/null").unwrap().file_type();
        assert!(null.is_char_device());
    }

    #[test]
    fn what_cannot_be_written_is_refused_before_and_after_alike() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        let _socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
        let open = File::create(at("open")).unwrap();
        use std::os::fd::AsRawFd;
        let number = PathBuf::from(format!("/proc/self/fd/{}", open.as_raw_fd()));
        fs::write(at("file"), b"x").unwrap();
        let cases = [
            (directory.path().to_owned(), "is a directory"),
            (at("socket"), "is a socket"),
            (at("file/a.bin"), "Not a directory"),
            (at("none/a.bin"), "none: no such directory"),
            (at("name/"), "is no name of a file"),
            (PathBuf::new(), "is no name of a file"),
            #[cfg(target_os = "linux")]
            (number, "is an open file"),
        ];
        for (path, why) in cases {
            let before = check_writable(&path).unwrap_err().to_string();
            let after = put(&path, b"x").unwrap_err().to_string();
            assert_eq!(before, after);
            assert!(before.contains(why), "{before}");
            assert!(!before.contains(".flowgate-"), "{before}");
        }
    }

    #[test]
    fn asking_leaves_no_trace() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        fs::write(at("file"), b"x").unwrap();
        let written = |path: &Path| fs::metadata(path).unwrap().modified().unwrap();
        let times = (written(&at("file")), written(directory.path()));
        check_writable(&at("file")).unwrap();
        check_writable(&at("new")).unwrap();
        check_directory(directory.path()).unwrap();
        check_directory(&at("a/b/c")).unwrap();
        assert_eq!(names_in(directory.path()), ["file"]);
        assert_eq!(written(&at("file")), times.0);
        #[cfg(target_os = "linux")]
        assert_eq!(written(directory.path()), times.1);
    }

    #[test]
    fn directories_that_cannot_be_made() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        fs::write(at("file"), b"x").unwrap();
        symlink("nothing", at("dangling")).unwrap();
        for (name, why) in [
            ("file", "is not a directory"),
            ("file/below", "Not a directory"),
            ("dangling", "is a link to nothing"),
        ] {
            let error = check_directory(&at(name)).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }

    /// A file that is mounted by itself cannot be renamed over. Only the system's administrator can
    /// mount; elsewhere there is nothing to try.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_mounted_file_is_written_in_place() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        fs::write(at("real"), b"a longer old content").unwrap();
        fs::write(at("mounted"), b"").unwrap();
        let mounted = |options: &[&str]| {
            let mount = Command::new("mount")
                .args(options)
                .arg(at("mounted"))
                .output();
            mount.is_ok_and(|output| output.status.success())
        };
        let real = at("real").display().to_string();
        if !mounted(&["--bind", &real]) {
            println!("mounting is not allowed here");
            return;
        }
        let written = put(&at("mounted"), b"new");
        let failed = write_atomically(&at("mounted"), |_| Err(io::Error::other("stop")));
        let content = fs::read(at("real")).unwrap();
        let unmounted = Command::new("umount").arg(at("mounted")).status();
        assert!(unmounted.unwrap().success());
        written.unwrap();
        assert!(failed.is_err());
        assert_eq!(content, b"new");
    }
}
