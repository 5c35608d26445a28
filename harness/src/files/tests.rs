use super::*;
use std::os::unix::fs::symlink;

/// The names of the files in a folder.
fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn the_old_file_stays_until_the_new_one_is_complete() {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (folder.path().join("old"), folder.path().join("new"));
    fs::write(&old, "old content").unwrap();
    for path in [&old, &new] {
        let output = NewFile::open(path).unwrap();
        output.writer().unwrap().write_all(b"begun").unwrap();
        assert_eq!(fs::read_to_string(&old).unwrap(), "old content");
    }
    assert_eq!(names(folder.path()), ["old"]);
    for path in [&old, &new] {
        let output = NewFile::open(path).unwrap();
        output.writer().unwrap().write_all(b"new ").unwrap();
        output.writer().unwrap().write_all(b"content").unwrap();
        output.keep().unwrap();
        assert_eq!(fs::read_to_string(path).unwrap(), "new content");
    }
    assert_eq!(names(folder.path()), ["new", "old"]);
}

#[test]
fn temporary_files_of_runs_that_were_killed_go_after_a_day() {
    let folder = tempfile::tempdir().unwrap();
    let (stale, recent) = (folder.path().join(".unfinished-stale"), folder.path().join(".unfinished-recent"));
    let now = folder.path().metadata().unwrap().modified().unwrap();
    let ago = |hours: u64| now - Duration::from_secs(hours * 3600);
    File::create(&stale).unwrap().set_modified(ago(25)).unwrap();
    File::create(&recent).unwrap().set_modified(ago(23)).unwrap();
    replace(&folder.path().join("new"), "content").unwrap();
    assert_eq!(names(folder.path()), [".unfinished-recent", "new"]);
}

#[test]
fn a_link_stays_a_link_and_permissions_stay() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("file"), "old").unwrap();
    fs::set_permissions(at("file"), Permissions::from_mode(0o640)).unwrap();
    symlink("file", at("link")).unwrap();
    symlink("later", at("dangling")).unwrap();
    replace(&at("link"), "new").unwrap();
    replace(&at("dangling"), "new").unwrap();
    assert!(at("link").is_symlink() && at("dangling").is_symlink());
    assert_eq!(fs::read_to_string(at("file")).unwrap(), "new");
    assert_eq!(fs::read_to_string(at("later")).unwrap(), "new");
    assert_eq!(fs::metadata(at("file")).unwrap().permissions().mode() & 0o777, 0o640);
}

#[test]
fn a_path_that_cannot_become_a_file_is_an_error_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for path in [
        folder.path().to_owned(),
        at("new/"),
        at("no/such"),
        at(&"x".repeat(300)),
        PathBuf::from("/proc/new"),
    ] {
        let error = NewFile::open(&path).unwrap_err().to_string();
        // The user does not know the temporary file.
        assert!(!error.contains(UNFINISHED_PREFIX), "{error}");
    }
    assert_eq!(names(folder.path()), [""; 0]);
}

#[test]
fn two_paths_may_lead_to_one_file() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| NewFile::open(&folder.path().join(name)).unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    fs::hard_link(folder.path().join("file"), folder.path().join("hard")).unwrap();
    symlink("new", folder.path().join("dangling")).unwrap();
    assert!(at("file").is_same(&at("./file")) && at("new").is_same(&at("./new")));
    assert!(at("file").is_same(&at("hard")) && at("new").is_same(&at("dangling")));
    assert!(!at("file").is_same(&at("new")));
}

#[test]
fn unfinished_files_can_be_removed_before_an_exit() {
    let folder = tempfile::tempdir().unwrap();
    let output = NewFile::open(&folder.path().join("new")).unwrap();
    let Place::Draft(draft) = &output.place else { panic!("a regular file is written directly") };
    assert!(unfinished().contains(draft.0.path()));
    let path = draft.0.path().to_owned();
    drop(output);
    assert!(!unfinished().contains(&path) && !path.exists());
}

#[test]
fn a_device_is_written_directly_and_an_endless_file_is_an_error() {
    let output = NewFile::open(Path::new("/dev/full")).unwrap();
    assert_eq!(output.writer().unwrap().write_all(b"x").unwrap_err().kind(), io::ErrorKind::StorageFull);
    output.keep().unwrap();
    let error = read(Path::new("/dev/zero")).unwrap_err();
    assert_eq!(error.to_string(), "it has more than 256 MiB, which is the limit");
}
