//! Files that are only of use outside a data folder.

use std::path::{Path, PathBuf};

/// Refuses a file that is in a data folder, whichever links lead there: whoever puts an older copy
/// of the folder back would put back with it what says that it is older. `key` and `path` are what
/// names the two.
pub(crate) fn demand_apart(
    (key, file): (&str, &Path),
    (path, folder): (&str, &Path),
) -> Result<(), String> {
    if !place(file).starts_with(place(folder)) {
        return Ok(());
    }
    Err(format!(
        "{key} is in the folder of {path}, {}: an older copy of that folder would not be noticed, \
         since the file would be as old. Move the file out of the folder, and name its new place",
        folder.display()
    ))
}

/// Where a path leads, as far as something is there.
fn place(path: &Path) -> PathBuf {
    if let Ok(real) = path.canonicalize() {
        return real;
    }
    match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) if parent.as_os_str().is_empty() => {
            place(Path::new(".")).join(name)
        }
        (Some(parent), Some(name)) => place(parent).join(name),
        _ => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, ConfigFile};
    use crate::witness::config::WitnessConfig;
    use std::{fs, os::unix::fs::symlink, path::Path};

    /// What a configuration that is loaded from the folder is refused for.
    fn refused<C: ConfigFile>(folder: &Path, text: &str) -> Option<String> {
        let file = folder.join("toml");
        fs::write(&file, text).unwrap();
        C::load(&file).err().map(|error| error.to_string())
    }

    #[test]
    fn what_shows_an_older_copy_of_a_folder_is_not_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        for (data, made) in [("data", false), ("data", true), ("made/later", false)] {
            if made {
                fs::create_dir(folder.join(data)).unwrap();
                symlink(folder.join(data), folder.join("link")).unwrap();
            }
            let link = if made { "link" } else { data };
            for (file, is_apart) in [
                (format!("{data}/checkpoints"), false),
                (format!("{data}/deep/file"), false),
                (format!("{link}/checkpoints"), false),
                (format!("{data}points"), true),
                ("checkpoints".to_owned(), true),
            ] {
                let log = format!(
                    "[log]\norigin = \"a.example\"\ncheckpoint_file = \"{file}\"\n\
                     [storage]\npath = \"{data}\"\n"
                );
                let witness = format!(
                    "[witness]\nname = \"w.example\"\n\
                     [storage]\npath = \"{data}\"\nfloor_file = \"{file}\"\n"
                );
                let mirror = format!(
                    "[log]\norigin = \"a.example\"\n[mirror]\nname = \"m.example\"\n\
                     path = \"{data}\"\nfloor_file = \"{file}\"\n"
                );
                for (said, key) in [
                    (refused::<Config>(folder, &log), "log.checkpoint_file"),
                    (
                        refused::<WitnessConfig>(folder, &witness),
                        "storage.floor_file",
                    ),
                    (refused::<Config>(folder, &mirror), "mirror.floor_file"),
                ] {
                    assert_eq!(said.is_none(), is_apart, "{key}: {file}: {said:?}");
                    assert!(said.is_none_or(|said| said.contains(key)), "{key}");
                }
            }
        }
    }

    #[test]
    fn the_whole_folder_of_a_node_is_no_data_folder() {
        let folder = tempfile::tempdir().unwrap();
        let text = "[log]\norigin = \"a.example\"\n[storage]\npath = \".\"\n";
        let said = refused::<Config>(folder.path(), text);
        assert!(said.is_some_and(|said| said.contains("log.checkpoint_file")));
        let none = "[witness]\nname = \"w.example\"\n";
        assert_eq!(refused::<WitnessConfig>(folder.path(), none), None);
    }
}
